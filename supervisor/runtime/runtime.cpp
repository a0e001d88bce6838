#include "runtime/runtime.hpp"

#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "base/runtime_paths.hpp"
#include "core/describe/doctor.hpp"
#include "os/api_socket.hpp"
#include "os/descriptor_limit.hpp"
#include "os/process_table.hpp"
#include "os/reaper.hpp"
#include "runtime/loop.hpp"
#include "runtime/orphans.hpp"

namespace holdfast::runtime {

namespace {

// The exit status of `holdfast run` if a socket or the service name cannot be acquired (cli/exit_codes.hpp).
constexpr int unavailable = 4;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::vector<std::string> copy_environment() {
    std::vector<std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) result.emplace_back(*entry);
    return result;
}

Error refused(std::string text) { return error(std::move(text), unavailable); }

// The service starts all the same: the first generation may fit, and fewer workers may be needed later.
void raise_descriptor_limit(const core::Configuration& configuration, Log& log, StartupResources& resources) {
    auto former = os::raise_descriptor_limit();
    if (!former) return log.write(core::Level::warning, "limit_not_raised", former.error().text);
    const auto needed = core::descriptors_needed(configuration, configuration.policy.workers);
    if (former->hard < needed) {
        log.write(core::Level::warning, "limit_too_low",
                  std::to_string(former->hard) + " open files are allowed, and a restart of " +
                      std::to_string(configuration.policy.workers) + " workers needs " + std::to_string(needed) +
                      ": raise the hard limit (ulimit -Hn, LimitNOFILE= in the unit)");
    }
    resources.descriptors = std::move(*former);
}

// Claims the runtime directory and its lock, if possible. An error only if the service name is in use.
Result<void> claim_name(const core::Configuration& configuration, Log& log, StartupResources& resources) {
    const auto candidates = candidate_directories(
        configuration.name, {configuration.runtime_dir, variable("RUNTIME_DIRECTORY"), variable("XDG_RUNTIME_DIR"),
                             static_cast<std::uint32_t>(::geteuid())});
    auto claim = os::claim_runtime_directory(candidates);
    if (const auto* taken = std::get_if<os::NameTaken>(&claim)) {
        return refused("cannot use the name " + configuration.name + ": another supervisor" +
                       (taken->pid > 0 ? " (pid " + std::to_string(taken->pid) + ")" : "") + " has locked " +
                       taken->path + "; choose another --name or stop that supervisor");
    }
    if (const auto* none = std::get_if<os::NoRuntimeDirectory>(&claim)) {
        log.write(core::Level::warning, "api_unavailable",
                  "the API is not available, because no runtime directory is usable (" + none->reason +
                      "); this supervisor can only be controlled with signals");
        return {};
    }
    resources.directory.emplace(std::move(std::get<os::RuntimeDirectory>(claim)));
    return {};
}

Result<void> open_directory(Log& log, StartupResources& resources) {
    if (!resources.directory) return {};
    auto records = os::WorkerRecords::open(*resources.directory);
    if (records)
        resources.records.emplace(std::move(*records));
    else
        log.write(core::Level::warning, "workers_not_recorded", records.error().text);
    auto api = os::open_api_socket(*resources.directory);
    if (!api) return refused(api.error().text);
    resources.api_socket = std::move(*api);
    log.write(core::Level::info, "api_listening", "API listening on " + resources.directory->path() + "/api.sock");
    return {};
}

// Opens the listeners, after the workers of an earlier supervisor were handled.
Result<void> bind_listeners(const core::Configuration& configuration, Loop::Foundation& foundation,
                            const StartupResources& resources) {
    const auto found = resources.records ? resources.records->living_orphans() : std::vector<os::Orphan>{};
    if (!found) {
        const std::string text =
            "it is not known whether workers of an earlier supervisor are running: " + found.error().text;
        if (configuration.orphans == core::Orphans::replace) return refused(text);
        foundation.log.write(core::Level::warning, "orphans_not_known", text);
    }
    const auto orphans = found ? *found : std::vector<os::Orphan>{};
    if (!orphans.empty() && configuration.orphans == core::Orphans::replace) {
        const auto replaced = replace_orphans(orphans, configuration.policy, *resources.signals, foundation.log);
        if (!replaced) return refused(replaced.error().text);
    }
    const auto opened = foundation.listeners.open(configuration.listen);
    if (opened) {
        if (!orphans.empty() && configuration.orphans == core::Orphans::refuse) {
            foundation.log.write(core::Level::warning, "orphans_found",
                                 "workers of an earlier supervisor are still running: " + describe(orphans));
        }
        return {};
    }
    std::string text = opened.error().text;
    if (!orphans.empty() && configuration.orphans == core::Orphans::refuse) {
        text += "; workers of an earlier supervisor of this name are still running: " + describe(orphans) +
                "; use --replace-orphans to stop them first";
    }
    return refused(std::move(text));
}

// Not among the listeners: no worker inherits them, and their clients are never refused.
Result<void> open_admin(const core::Configuration& configuration, Log& log, StartupResources& resources) {
    for (const auto& address : configuration.admin) {
        auto opened = os::open_listeners(address);
        if (!opened) return refused(opened.error().text);
        for (auto& listener : *opened) {
            log.write(core::Level::info, "admin_listening", "answering health probes on " + listener.bound);
            resources.admin.push_back(std::move(listener));
        }
    }
    return {};
}

}  // namespace

Runtime::Runtime(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Runtime::~Runtime() = default;

Result<std::unique_ptr<Runtime>> Runtime::open(const core::Configuration& configuration, os::SighupDisposition sighup,
                                               Reread reread) {
    auto foundation = std::make_unique<Loop::Foundation>(configuration);
    StartupResources resources;
    resources.sighup = sighup;
    resources.environment = copy_environment();
    raise_descriptor_limit(configuration, foundation->log, resources);
    os::reset_sigchld();
    if (!os::proc_is_ours()) {
        return refused(
            "cannot see the processes of workers: /proc is not mounted, or shows those of another PID namespace; "
            "mount it (mount -t proc proc /proc, or unshare --mount-proc)");
    }
    if (const auto subreaper = os::become_subreaper(); !subreaper) return refused(subreaper.error().text);
    auto signals = os::Signals::open();
    if (!signals) return refused(signals.error().text);
    resources.signals.emplace(std::move(*signals));
    if (auto manager = os::ServiceManager::from_environment()) {
        resources.manager.emplace(std::move(*manager));
    } else {
        foundation->log.write(core::Level::warning, "service_manager_not_reached", manager.error().text);
        resources.manager.emplace();
    }
    if (auto claimed = claim_name(configuration, foundation->log, resources); !claimed) return claimed.error();
    if (auto opened = open_directory(foundation->log, resources); !opened) return opened.error();
    if (auto taken = bind_listeners(configuration, *foundation, resources); !taken) return taken.error();
    if (auto opened = open_admin(configuration, foundation->log, resources); !opened) return opened.error();
    auto loop = std::make_unique<Loop>(std::move(foundation), configuration, std::move(resources), std::move(reread));
    return std::unique_ptr<Runtime>(new Runtime(std::move(loop)));
}

int Runtime::release_api_socket() { return loop_->release_api_socket(); }

boost::asio::any_io_executor Runtime::executor() { return loop_->foundation().io.get_executor(); }

void Runtime::ask(core::Request request, std::function<void(core::Outcome)> answer) {
    loop_->ask(std::move(request), std::move(answer));
}

core::Status Runtime::snapshot() const { return loop_->snapshot(); }

std::string Runtime::unready_because() const { return loop_->unready_because(); }

std::string Runtime::crash_loops() const { return loop_->crash_loops(); }

void Runtime::reload(std::string asked_by, std::function<void(core::Outcome)> answer) {
    loop_->reload(std::move(asked_by), std::move(answer));
}

core::Outcome Runtime::preview_reload() const { return loop_->preview_reload(); }

std::vector<std::string> Runtime::history() const { return loop_->history(); }

std::vector<core::LastOutput> Runtime::last_output() const { return loop_->last_output(); }

std::shared_ptr<void> Runtime::follow_events(std::function<void(std::string_view)> on_event) {
    return loop_->foundation().log.follow(std::move(on_event));
}

std::vector<int> Runtime::release_admin_sockets() { return loop_->release_admin_sockets(); }

int Runtime::run(std::function<void(std::function<void()>)> on_shutdown) { return loop_->run(std::move(on_shutdown)); }

}  // namespace holdfast::runtime
