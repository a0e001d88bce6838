#include "cli/commands.hpp"

#include <algorithm>
#include <cerrno>
#include <ostream>

#include "cli/exit_codes.hpp"
#include "cli/history.hpp"
#include "cli/json_text.hpp"
#include "cli/render.hpp"
#include "cli/waiting.hpp"

namespace holdfast::cli {
namespace {

using What = api::Wish::What;

// Where a command writes to.
struct Streams {
    std::ostream& out;
    std::ostream& err;
    const Screen& screen;
};

int complain(std::ostream& err, const Error& problem, ExitCode code) {
    err << "holdfast: " << problem.text << '\n';
    return to_int(code);
}

int done() { return to_int(ExitCode::done); }

int show_all(const ClientCommand& command, const Streams& to) {
    auto services = api::list_services();
    // One whose directory the service manager chose lies in no collection.
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
    return complain(to.err, error("no supervisor of this user is running"), ExitCode::not_had);
}

int show_status(const ClientCommand& command, const api::Service& service, const Streams& to) {
    if (command.watch == Watch::on) {
        const auto watched = watch(command, service, to.out, to.screen);
        return watched ? done() : complain(to.err, watched.error(), ExitCode::not_done);
    }
    command.format == Format::json ? to.out << service.status_json << '\n' : to.out << render_status(service.status);
    return done();
}

int show_history(const ClientCommand& command, const Result<std::vector<std::string>>& lines, const Streams& to) {
    if (!lines) return complain(to.err, lines.error(), ExitCode::not_done);
    if (command.format == Format::json) {
        for (const std::string& line : *lines) to.out << line << '\n';
    } else {
        to.out << render_history(*lines);
    }
    return done();
}

int show_logs(const ClientCommand& command, const api::Service& service, const Streams& to) {
    const auto outputs = api::logs(service, command.worker);
    if (!outputs) return complain(to.err, outputs.error(), ExitCode::not_done);
    to.out << (command.format == Format::json ? logs_to_json(*outputs) : render_logs(*outputs));
    return done();
}

int show_why(const ClientCommand& command, const api::Service& service, const Streams& to) {
    const auto text = api::why(service, command.worker);
    if (!text) return complain(to.err, text.error(), ExitCode::not_done);
    to.out << (command.format == Format::json ? "{\"text\":" + json_string(*text) + "}" : *text) << '\n';
    return done();
}

int show_events(const api::Service& service, const Streams& to) {
    const auto followed = api::follow_events(service, [&](const api::EventView& event) {
        to.out << event.json << std::endl;
        return to.out ? api::Hear::on : api::Hear::enough;
    });
    return followed ? done() : complain(to.err, followed.error(), ExitCode::not_done);
}

// A stop that is done returns what `run` returns; whatever else is not done is 1 at least.
int exit_code_of(const api::Answer& answer) {
    if (answer.result == "done") return answer.exit_code;
    if (answer.result == "accepted") return done();
    return answer.exit_code != 0 ? answer.exit_code : to_int(ExitCode::not_done);
}

int show_answer(const ClientCommand& command, const Result<api::Answer>& answer, const Streams& to) {
    if (!answer) return complain(to.err, answer.error(), ExitCode::not_done);
    const int code = exit_code_of(*answer);
    if (command.format == Format::json) {
        to.out << answer->json << '\n';
    } else {
        (code == 0 ? to.out : to.err) << render_answer(*answer);
    }
    return code;
}

int change(const ClientCommand& command, What what, const api::Service& service, const Streams& to) {
    const api::Wish wish{what, command.workers};
    const auto answer = command.wait == api::Wait::no ? api::change(service, wish, command.wait)
                                                      : wait_for(command, service, wish, to.err, to.screen);
    return show_answer(command, answer, to);
}

int reload(const ClientCommand& command, const api::Service& service, const Streams& to) {
    if (command.rehearsal == Rehearsal::no) return change(command, What::reload, service, to);
    return show_answer(command, api::what_reload_would_do(service), to);
}

int ask(const ClientCommand& command, const api::Service& service, const Streams& to) {
    switch (command.verb) {
        case Verb::restart:
            return change(command, What::restart, service, to);
        case Verb::reload:
            return reload(command, service, to);
        case Verb::stop:
            return change(command, What::stop, service, to);
        case Verb::scale:
            return change(command, What::scale, service, to);
        case Verb::rollback:
            return change(command, What::rollback, service, to);
        case Verb::undo:
            return change(command, What::undo, service, to);
        case Verb::pause:
            return change(command, What::pause, service, to);
        case Verb::resume:
            return change(command, What::resume, service, to);
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
    return to_int(ExitCode::defect);
}

}  // namespace

int run_client(const ClientCommand& command, std::ostream& out, std::ostream& err, const Screen& screen) {
    const Streams to{out, err, screen};
    const bool is_anybody = command.name.empty() && command.runtime_dir.empty();
    if (command.verb == Verb::status && is_anybody && command.watch == Watch::once) return show_all(command, to);
    if (!command.state_dir.empty()) return show_history(command, read_history(command.state_dir), to);
    const auto service = api::find_service({command.name, command.runtime_dir});
    if (service) return ask(command, *service, to);
    const bool is_ambiguous = service.error().code == EINVAL;
    return complain(err, service.error(), is_ambiguous ? ExitCode::usage : ExitCode::not_had);
}

}  // namespace holdfast::cli
