#include "cli/option_table.hpp"
#include "cli/probe.hpp"
#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

// On an address that holdfast holds, any worker may accept the probe, including one of the old generation.
Result<void> validate_probe(const RunDraft& draft, const core::ReadyProbe& probe) {
    if (probe.where == core::ReadyProbe::Where::private_listener) return {};
    const auto address = parse_listen_address(probe.address);
    if (!address) return address.error();
    const auto refused = [&](const std::string& why) {
        return error("--ready-when: " + in_quotes(draft.probe) +
                     " is an address that holdfast holds, so a response proves nothing: " + why +
                     ". Use http:/PATH, which probes each worker on its own listener");
    };
    for (const ListenAddress& held : draft.configuration.listen) {
        if (reaches(*address, held)) return refused("any worker, or none, may have answered");
    }
    for (const ListenAddress& held : draft.configuration.admin) {
        if (reaches(*address, held)) return refused("it is the address of --admin");
    }
    return {};
}

}  // namespace

Result<void> validate_options(const RunDraft& draft) {
    const core::Configuration& configuration = draft.configuration;
    if (const auto conflict = find_conflict(configuration.listen)) return error("--listen: " + *conflict);
    for (const ListenAddress& admin : configuration.admin) {
        for (const ListenAddress& held : configuration.listen) {
            if (admin.port == 0 && admin.family == Family::inet) continue;
            if (reaches(admin, held)) {
                return error("--admin: " + in_quotes(admin.text) + " is in use by --listen, for the workers");
            }
        }
    }
    if (configuration.policy.min_ready > configuration.policy.workers) {
        return error("--min-ready: " + std::to_string(configuration.policy.min_ready) +
                     " is more than the number of workers, " + std::to_string(configuration.policy.workers) +
                     "; raise --workers or lower --min-ready");
    }
    const auto* probe = std::get_if<core::ReadyProbe>(&configuration.policy.ready_when);
    return probe == nullptr ? Result<void>{} : validate_probe(draft, *probe);
}

}  // namespace holdfast::cli
