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

// Thrown through the client's loop, whose calls cannot say "enough".
struct Interrupted {};

// How one writes this supervisor behind a command.
std::string words_for(const ClientCommand& command, const api::Service& service) {
    return command.runtime_dir.empty() ? " " + service.status.name : " --runtime-dir " + command.runtime_dir;
}

// How it is taken back, with a comma behind; empty: nothing does that.
std::string way_back(const std::string& whom, api::Wish::What what) {
    using What = api::Wish::What;
    switch (what) {
        case What::scale:
            return "`holdfast scale" + whom + " N` asks for another number, ";
        case What::pause:
            return "`holdfast resume" + whom + "` takes it back, ";
        case What::resume:
            return "`holdfast pause" + whom + "` takes it back, ";
        case What::undo:
            return {};
        default:
            return "`holdfast undo" + whom + "` takes it back, ";
    }
}

Error left_alone(const ClientCommand& command, const api::Service& service, api::Wish::What what) {
    const std::string whom = words_for(command, service);
    return error(
        "what was asked for goes on: " + way_back(whom, what) + "`holdfast status" + whom + " --watch` shows it",
        EINTR);
}

class OnTerminal {
  public:
    OnTerminal(std::ostream& err, const Screen& screen) : block_(err), screen_(screen) {}
    ~OnTerminal() { block_.clear(); }

    void see(const api::ServiceView& service) {
        most_leaving_ = std::max(most_leaving_, leaving(service));
        block_.show(render_progress(service, most_leaving_, screen_.error_width(), screen_.colour));
    }

  private:
    LiveBlock block_;
    const Screen& screen_;
    int most_leaving_ = 0;
};

// What is for machines alone stays out of a person's log.
bool is_worth_a_line(const api::EventView& event) { return event.level != "debug" && !event.text.empty(); }

std::string cut_to(const std::string& text, int columns) {
    std::istringstream lines(text);
    std::string result;
    for (std::string line; std::getline(lines, line);) result += fit(line, columns) + "\n";
    return result;
}

}  // namespace

Result<api::Answer> wait_for(const ClientCommand& command, const api::Service& service, const api::Wish& wish,
                             std::ostream& err, const Screen& screen) {
    api::Ears ears;
    ears.tick = [&] {
        if (screen.was_interrupted()) throw Interrupted{};
    };
    try {
        ears.tick();
        if (screen.error_width() == 0) {
            if (command.format == Format::text) {
                ears.event = [&](const api::EventView& event) {
                    if (is_worth_a_line(event)) err << render_event(event) << std::endl;
                };
            }
            return api::pursue(service, wish, ears);
        }
        OnTerminal terminal(err, screen);
        ears.status = [&](const api::ServiceView& view) { terminal.see(view); };
        return api::pursue(service, wish, ears);
    } catch (const Interrupted&) {
        return left_alone(command, service, wish.what);
    }
}

Result<void> watch(const ClientCommand& command, const api::Service& service, std::ostream& out, const Screen& screen) {
    LiveBlock block(out);
    api::Ears ears;
    ears.look = [&](const api::Service& seen) {
        const int width = screen.output_width();
        if (command.format == Format::json) {
            out << seen.status_json << std::endl;
        } else if (width == 0) {
            out << render_status(seen.status) << std::endl;
        } else {
            block.show(cut_to(render_status(seen.status), width - 1));
        }
    };
    return api::watch(service, ears);
}

}  // namespace holdfast::cli
