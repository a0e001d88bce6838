#include "check.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ostream>

#include "api/client/client.hpp"
#include "cli/exit_codes.hpp"
#include "cli/findings.hpp"
#include "core/describe/doctor.hpp"
#include "os/bindable.hpp"
#include "os/launch_spec.hpp"
#include "os/machine.hpp"

namespace holdfast {
namespace {

using core::Finding;
using core::Severity;
using Findings = std::vector<Finding>;

std::vector<std::string> own_environment() {
    std::vector<std::string> entries;
    for (char** entry = environ; *entry != nullptr; ++entry) entries.emplace_back(*entry);
    return entries;
}

// Checks user, directory, environment files and executable like a launch does.
void check_launch(const core::Configuration& configuration, Findings& findings) {
    const LaunchOptions& options = configuration.launch;
    const auto resolved = os::resolve(options, own_environment());
    if (const auto* failure = std::get_if<os::LaunchFailure>(&resolved)) {
        findings.push_back({Severity::wrong, os::describe(*failure), {}});
        return;
    }
    const auto& spec = std::get<os::LaunchSpec>(resolved);
    findings.push_back({Severity::ok, "the command is " + spec.executable.path, {}});
    if (!options.user.empty()) findings.push_back({Severity::ok, "the user " + options.user + " exists", {}});
    if (!options.chdir.empty()) findings.push_back({Severity::ok, "the directory " + options.chdir + " exists", {}});
    for (const std::string& file : options.env_files) {
        findings.push_back({Severity::ok, "the environment file " + file + " can be read", {}});
    }
}

// Whether the running supervisor of this name has the address open.
bool is_held_by(const std::vector<os::SocketHolder>& holders, int pid) {
    return pid != 0 && std::ranges::find(holders, pid, &os::SocketHolder::pid) != holders.end();
}

void check_address(const std::string& option, const ListenAddress& address, int running_pid, Findings& findings) {
    const std::string what = option + " " + address.text;
    const auto bind_problem = os::find_bind_problem(address);
    if (!bind_problem) {
        findings.push_back(address.family == Family::systemd
                               ? Finding{Severity::note, what + " is known only when the service manager starts it", {}}
                               : Finding{Severity::ok, what + " is available", {}});
    } else if (is_held_by(bind_problem->holders, running_pid)) {
        findings.push_back(
            {Severity::ok,
             what + " is held by the running supervisor of this name (pid " + std::to_string(running_pid) + ")",
             {}});
    } else {
        const std::string holders = os::describe(bind_problem->holders);
        findings.push_back({Severity::wrong,
                            "cannot listen on " + address.text + ": " + bind_problem->text +
                                (holders.empty() ? "" : ", held by " + holders),
                            holders.empty() ? "" : "stop it or choose another address"});
    }
}

void check_times(const core::Policy& policy, Findings& findings) {
    if (policy.settle >= policy.ready_timeout) {
        findings.push_back(
            {Severity::warning, "--settle is not shorter than --ready-timeout", "set --settle to a few seconds"});
    }
    if (policy.watchdog > std::chrono::seconds(0) && policy.watchdog < std::chrono::seconds(1)) {
        findings.push_back({Severity::warning,
                            "--watchdog is shorter than 1s: a worker on a busy machine may be taken for dead",
                            "set --watchdog to several seconds"});
    }
    findings.push_back(
        {Severity::ok,
         "a stop takes at most " +
             std::to_string(std::chrono::ceil<std::chrono::seconds>(core::longest_stop(policy)).count()) + " s",
         {}});
}

// The pid of the running supervisor of this name; 0: none.
int running_pid(const std::string& name, const std::string& runtime_dir) {
    const auto service = api::find_service({name, runtime_dir});
    return service ? service->status.pid : 0;
}

}  // namespace

int check(const cli::CheckCommand& command, std::ostream& out) {
    const core::Configuration& configuration = command.configuration;
    Findings findings;
    findings.push_back({Severity::ok, "the options are valid; the name is " + configuration.name, {}});
    check_launch(configuration, findings);
    const int running = running_pid(configuration.name, configuration.runtime_dir);
    for (const auto& address : configuration.listen) check_address("--listen", address, running, findings);
    for (const auto& address : configuration.admin) check_address("--admin", address, running, findings);
    check_times(configuration.policy, findings);
    // Of the findings of `doctor`, only those that prevent this configuration from working.
    for (Finding& finding : core::check_machine(os::inspect_machine(), {configuration, configuration.policy.workers})) {
        if (finding.severity == Severity::wrong) findings.push_back(std::move(finding));
    }
    out << cli::render_findings(findings);
    return cli::exit_code_of(findings);
}

int run_doctor(const cli::DoctorCommand& command, std::ostream& out, std::ostream& err) {
    core::CheckedService checked;
    pid_t pid = 0;
    const bool is_named = !command.name.empty() || !command.runtime_dir.empty();
    if (command.configuration) checked.configuration = *command.configuration;
    checked.workers = checked.configuration.policy.workers;
    if (is_named || !command.configuration) {
        const auto service = api::find_service({command.name, command.runtime_dir});
        if (!service && is_named) {
            err << "holdfast: " << service.error().text << '\n';
            return cli::to_int(cli::ExitCode::unavailable);
        }
        if (service) {
            pid = service->status.pid;
            checked.workers = std::max(service->status.target, 1);
        }
    }
    const auto findings = core::check_machine(os::inspect_machine(pid), checked);
    out << (command.format == cli::Format::json ? cli::findings_to_json(findings) : cli::render_findings(findings));
    return cli::exit_code_of(findings);
}

}  // namespace holdfast
