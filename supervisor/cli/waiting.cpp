#include "cli/waiting.hpp"

#include <algorithm>
#include <cerrno>
#include <ostream>
#include <sstream>

#include "cli/live_block.hpp"
#include "cli/progress.hpp"
#include "cli/render.hpp"

namespace holdfast::cli {
namespace {

// Thrown by on_tick to leave perform_change(): a callback cannot stop it otherwise.
struct Interrupted {};

// The arguments of a command that select this supervisor.
std::string service_arguments(const ClientCommand& command, const api::Service& service) {
    return command.runtime_dir.empty() ? " " + service.status.name : " --runtime-dir " + command.runtime_dir;
}

// The command that reverts the change, followed by a comma; empty if there is none.
std::string undo_hint(const std::string& target, api::ChangeRequest::Kind kind) {
    using Kind = api::ChangeRequest::Kind;
    switch (kind) {
        case Kind::scale:
            return "`holdfast scale" + target + " N` sets another number of workers, ";
        case Kind::pause:
            return "`holdfast resume" + target + "` reverts it, ";
        case Kind::resume:
            return "`holdfast pause" + target + "` reverts it, ";
        case Kind::undo:
            return {};
        default:
            return "`holdfast undo" + target + "` reverts it, ";
    }
}

Error interrupted_error(const ClientCommand& command, const api::Service& service, api::ChangeRequest::Kind kind) {
    const std::string target = service_arguments(command, service);
    return error("stopped waiting, but the change continues: " + undo_hint(target, kind) + "`holdfast status" + target +
                     " --watch` shows its progress",
                 EINTR);
}

class TerminalProgress {
  public:
    TerminalProgress(std::ostream& err, const Screen& screen) : block_(err), screen_(screen) {}
    ~TerminalProgress() { block_.clear(); }

    void update(const api::ServiceView& service) {
        most_leaving_ = std::max(most_leaving_, leaving(service));
        block_.show(render_progress(service, most_leaving_, screen_.error_width(), screen_.colour));
    }

  private:
    LiveBlock block_;
    const Screen& screen_;
    int most_leaving_ = 0;
};

// Debug events and events without a text are not shown.
bool is_worth_a_line(const api::EventView& event) { return event.level != "debug" && !event.text.empty(); }

std::string truncate_lines(const std::string& text, int columns) {
    std::istringstream lines(text);
    std::string result;
    for (std::string line; std::getline(lines, line);) result += fit(line, columns) + "\n";
    return result;
}

}  // namespace

Result<api::ChangeOutcome> change_and_wait(const ClientCommand& command, const api::Service& service,
                                           const api::ChangeRequest& request, std::ostream& err, const Screen& screen) {
    api::ProgressCallbacks callbacks;
    callbacks.on_tick = [&] {
        if (screen.was_interrupted()) throw Interrupted{};
    };
    try {
        callbacks.on_tick();
        if (screen.error_width() == 0) {
            if (command.format == Format::text) {
                callbacks.on_event = [&](const api::EventView& event) {
                    if (is_worth_a_line(event)) err << render_event(event) << std::endl;
                };
            }
            return api::perform_change(service, request, callbacks);
        }
        TerminalProgress terminal(err, screen);
        callbacks.on_status = [&](const api::ServiceView& view) { terminal.update(view); };
        return api::perform_change(service, request, callbacks);
    } catch (const Interrupted&) {
        return interrupted_error(command, service, request.kind);
    }
}

Result<void> watch_status(const ClientCommand& command, const api::Service& service, std::ostream& out,
                          const Screen& screen) {
    LiveBlock block(out);
    api::ProgressCallbacks callbacks;
    callbacks.on_service = [&](const api::Service& seen) {
        const int width = screen.output_width();
        if (command.format == Format::json) {
            out << seen.status_json << std::endl;
        } else if (width == 0) {
            out << render_status(seen.status) << std::endl;
        } else {
            block.show(truncate_lines(render_status(seen.status), width - 1));
        }
    };
    return api::watch_status(service, callbacks);
}

}  // namespace holdfast::cli
