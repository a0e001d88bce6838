#include "cli/commands.hpp"

#include <array>
#include <cerrno>
#include <ostream>

#include "cli/exit_codes.hpp"
#include "cli/render.hpp"

namespace holdfast::cli {
namespace {

constexpr std::array table = {
    CommandRow{"run", "[OPTIONS] -- COMMAND [ARG...]", "hold the sockets, launch the workers, stay in the foreground"},
    CommandRow{"restart", "[NAME]", "replace every worker by one of a new generation; waits for the outcome"},
    CommandRow{"stop", "[NAME]", "drain every worker and end; waits, and returns what run will"},
    CommandRow{"scale", "[NAME] N", "run N workers; waits for the outcome"},
    CommandRow{"status", "[NAME]", "show the workers; without NAME of all supervisors of this user"},
    CommandRow{"help", "[COMMAND]", "explain the program, or a command with its options"},
    CommandRow{"version", "", "print the version"},
};

int complain(std::ostream& err, const Error& problem, ExitCode code) {
    err << "holdfast: " << problem.text << '\n';
    return to_int(code);
}

int show_all(const ClientCommand& command, std::ostream& out, std::ostream& err) {
    const auto services = api::list_services();
    if (command.format == Format::json) {
        out << '[';
        for (const auto& service : services) out << (&service == &services.front() ? "" : ",") << service.status_json;
        out << "]\n";
    } else {
        for (const auto& service : services) {
            out << (&service == &services.front() ? "" : "\n") << render_status(service.status);
        }
    }
    if (!services.empty()) return to_int(ExitCode::done);
    return complain(err, error("no supervisor of this user is running"), ExitCode::not_had);
}

int show_one(const ClientCommand& command, const api::Service& service, std::ostream& out) {
    command.format == Format::json ? out << service.status_json << '\n' : out << render_status(service.status);
    return to_int(ExitCode::done);
}

Result<api::Answer> ask(const ClientCommand& command, const api::Service& service) {
    switch (command.verb) {
        case Verb::restart:
            return api::restart(service, command.wait);
        case Verb::stop:
            return api::stop(service, command.wait);
        case Verb::scale:
            return api::scale(service, command.workers, command.wait);
        case Verb::status:
            break;
    }
    return error("a status is no question of this kind");
}

// A stop that is done returns what `run` returns; whatever else is not done is 1 at least.
int exit_code_of(const api::Answer& answer) {
    if (answer.result == "done") return answer.exit_code;
    if (answer.result == "accepted") return to_int(ExitCode::done);
    return answer.exit_code != 0 ? answer.exit_code : to_int(ExitCode::not_done);
}

}  // namespace

std::span<const CommandRow> command_table() { return table; }

int run_client(const ClientCommand& command, std::ostream& out, std::ostream& err) {
    const bool is_anybody = command.name.empty() && command.runtime_dir.empty();
    if (command.verb == Verb::status && is_anybody) return show_all(command, out, err);
    const auto service = api::find_service({command.name, command.runtime_dir});
    if (!service) {
        const bool is_ambiguous = service.error().code == EINVAL;
        return complain(err, service.error(), is_ambiguous ? ExitCode::usage : ExitCode::not_had);
    }
    if (command.verb == Verb::status) return show_one(command, *service, out);
    const auto answer = ask(command, *service);
    if (!answer) return complain(err, answer.error(), ExitCode::not_done);
    const int code = exit_code_of(*answer);
    if (command.format == Format::json) {
        out << answer->json << '\n';
    } else {
        (code == 0 ? out : err) << render_answer(*answer);
    }
    return code;
}

}  // namespace holdfast::cli
