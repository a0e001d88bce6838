#include "cli/commands.hpp"

#include <algorithm>
#include <cerrno>
#include <ostream>

#include "cli/exit_codes.hpp"
#include "cli/history.hpp"
#include "cli/render.hpp"
#include "cli/waiting.hpp"
#include "json/writer.hpp"

namespace holdfast::cli {
namespace {

using Kind = api::ChangeRequest::Kind;

// The streams and the terminal that a command writes to.
struct Streams {
    std::ostream& out;
    std::ostream& err;
    const Screen& screen;
};

int report_error(std::ostream& err, const Error& problem, ExitCode code) {
    err << "holdfast: " << problem.text << '\n';
    return to_int(code);
}

int done() { return to_int(ExitCode::done); }

int show_all(const ClientCommand& command, const Streams& to) {
    auto services = api::list_services();
    // A runtime directory chosen by the service manager is in none of the parent directories that are listed.
    if (services.empty()) {
        if (auto only = api::find_service({})) services.push_back(*std::move(only));
    }
    if (command.format == Format::json) {
        to.out << '[';
        for (const auto& service : services) {
            to.out << (&service == &services.front() ? "" : ",") << service.status_json;
        }
        to.out << "]\n";
    } else {
        for (const auto& service : services) {
            to.out << (&service == &services.front() ? "" : "\n") << render_status(service.status);
        }
    }
    if (!services.empty()) return done();
    return report_error(to.err, error("no supervisor of this user is running"), ExitCode::unavailable);
}

int show_status(const ClientCommand& command, const api::Service& service, const Streams& to) {
    if (command.watch == Watch::on) {
        const auto watched = watch_status(command, service, to.out, to.screen);
        return watched ? done() : report_error(to.err, watched.error(), ExitCode::failed);
    }
    command.format == Format::json ? to.out << service.status_json << '\n' : to.out << render_status(service.status);
    return done();
}

int show_history(const ClientCommand& command, const Result<std::vector<std::string>>& lines, const Streams& to) {
    if (!lines) return report_error(to.err, lines.error(), ExitCode::failed);
    if (command.format == Format::json) {
        for (const std::string& line : *lines) to.out << line << '\n';
    } else {
        to.out << render_history(*lines);
    }
    return done();
}

int show_logs(const ClientCommand& command, const api::Service& service, const Streams& to) {
    const auto outputs = api::logs(service, command.worker);
    if (!outputs) return report_error(to.err, outputs.error(), ExitCode::failed);
    to.out << (command.format == Format::json ? logs_to_json(*outputs) : render_logs(*outputs));
    return done();
}

int show_why(const ClientCommand& command, const api::Service& service, const Streams& to) {
    const auto text = api::why(service, command.worker);
    if (!text) return report_error(to.err, text.error(), ExitCode::failed);
    const bool as_json = command.format == Format::json;
    to.out << (as_json ? json::Writer().open_object().member("text", *text).close_object().take() : *text) << '\n';
    return done();
}

int show_events(const api::Service& service, const Streams& to) {
    const auto followed = api::follow_events(service, [&](const api::EventView& event) {
        to.out << event.json << std::endl;
        return to.out ? api::Continue::yes : api::Continue::no;
    });
    return followed ? done() : report_error(to.err, followed.error(), ExitCode::failed);
}

// A completed stop has the exit status of `run`. A change that was not done is never 0.
int exit_code_of(const api::ChangeOutcome& outcome) {
    if (outcome.result == "done") return outcome.exit_code;
    if (outcome.result == "accepted") return done();
    return outcome.exit_code != 0 ? outcome.exit_code : to_int(ExitCode::failed);
}

int show_outcome(const ClientCommand& command, const Result<api::ChangeOutcome>& outcome, const Streams& to) {
    if (!outcome) return report_error(to.err, outcome.error(), ExitCode::failed);
    const int code = exit_code_of(*outcome);
    if (command.format == Format::json) {
        to.out << outcome->json << '\n';
    } else {
        (code == 0 ? to.out : to.err) << render_outcome(*outcome);
    }
    return code;
}

int change(const ClientCommand& command, Kind kind, const api::Service& service, const Streams& to) {
    const api::ChangeRequest request{kind, command.workers};
    const auto outcome = command.wait == api::Wait::no ? api::send_change(service, request, command.wait)
                                                       : change_and_wait(command, service, request, to.err, to.screen);
    return show_outcome(command, outcome, to);
}

int reload(const ClientCommand& command, const api::Service& service, const Streams& to) {
    if (command.dry_run == DryRun::no) return change(command, Kind::reload, service, to);
    return show_outcome(command, api::preview_reload(service), to);
}

int execute(const ClientCommand& command, const api::Service& service, const Streams& to) {
    switch (command.verb) {
        case Verb::restart:
            return change(command, Kind::restart, service, to);
        case Verb::reload:
            return reload(command, service, to);
        case Verb::stop:
            return change(command, Kind::stop, service, to);
        case Verb::scale:
            return change(command, Kind::scale, service, to);
        case Verb::rollback:
            return change(command, Kind::rollback, service, to);
        case Verb::undo:
            return change(command, Kind::undo, service, to);
        case Verb::pause:
            return change(command, Kind::pause, service, to);
        case Verb::resume:
            return change(command, Kind::resume, service, to);
        case Verb::status:
            return show_status(command, service, to);
        case Verb::history:
            return show_history(command, api::history(service), to);
        case Verb::why:
            return show_why(command, service, to);
        case Verb::logs:
            return show_logs(command, service, to);
        case Verb::events:
            return show_events(service, to);
    }
    return to_int(ExitCode::internal_error);
}

}  // namespace

int run_client(const ClientCommand& command, std::ostream& out, std::ostream& err, const Screen& screen) {
    const Streams to{out, err, screen};
    const bool any_service = command.name.empty() && command.runtime_dir.empty();
    if (command.verb == Verb::status && any_service && command.watch == Watch::once) return show_all(command, to);
    if (!command.state_dir.empty()) return show_history(command, read_history(command.state_dir), to);
    const auto service = api::find_service({command.name, command.runtime_dir});
    if (service) return execute(command, *service, to);
    const bool is_ambiguous = service.error().code == EINVAL;
    return report_error(err, service.error(), is_ambiguous ? ExitCode::usage : ExitCode::unavailable);
}

}  // namespace holdfast::cli
