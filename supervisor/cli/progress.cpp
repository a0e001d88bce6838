#include "cli/progress.hpp"

#include <algorithm>
#include <vector>

#include "base/held_work.hpp"
#include "cli/render.hpp"

namespace holdfast::cli {
namespace {

constexpr std::size_t most_lines = 8;
constexpr int longest_bar = 40;
constexpr int shortest_bar = 10;

bool is_leaving(const api::ServiceView& service, const api::WorkerView& worker) {
    return service.phase == "stopping" || worker.generation != service.generation || !worker.why_leaving.empty();
}

std::string paint(const std::string& text, const char* code, Colour colour) {
    return colour == Colour::no ? text : "\x1b[" + std::string(code) + "m" + text + "\x1b[0m";
}

// How many things of this kind the worker holds: the reported count or, if there is none, the number of named ones.
std::uint64_t count_of_kind(const api::WorkerView& worker, const std::string& kind) {
    for (const api::HeldView& held : worker.held) {
        if (held.kind == kind) return held.count;
    }
    return static_cast<std::uint64_t>(std::ranges::count(worker.waiting, kind, &api::WaitingView::kind));
}

// What the change waits for with this worker; empty if it does not wait for it.
std::string reason(const api::ServiceView& service, const api::WorkerView& worker) {
    std::string text;
    // The change does not wait yet for an old worker that has not been asked to leave.
    const bool is_asked_to_leave = service.phase == "stopping" || !worker.why_leaving.empty();
    if (worker.state == "ready" && !is_asked_to_leave && worker.generation != service.generation) return {};
    if (is_leaving(service, worker)) {
        text = without_underscores(worker.state);
        const std::string held = render_held(worker);
        if (worker.drained_s) {
            text += ": released everything " + render_seconds(*worker.drained_s) + " ago and has not exited";
        } else if (!held.empty()) {
            text += ": " + held;
        }
    } else if (worker.state == "ready" && worker.settled) {
        return {};
    } else if (worker.state == "ready") {
        text = "ready " + render_seconds(worker.since_s) + ", not settled yet";
    } else {
        text = without_underscores(worker.state) + " " + render_seconds(worker.since_s);
        if (!worker.probe.empty()) text += ", the last probe said " + worker.probe;
    }
    if (worker.deadline_s) text += ", at most " + render_seconds(*worker.deadline_s) + " more";
    if (!worker.status.empty()) text += " (" + worker.status + ")";
    return text;
}

std::string bar(Tally counted, int width, Colour colour) {
    const std::string numbers = " " + std::to_string(counted.done) + " of " + std::to_string(counted.total);
    const int room = std::clamp(width - 3 - static_cast<int>(numbers.size()), shortest_bar, longest_bar);
    const int full = counted.total == 0 ? room : room * counted.done / counted.total;
    std::string text(static_cast<std::size_t>(full), '#');
    return "[" + paint(text, "32", colour) + std::string(static_cast<std::size_t>(room - full), '.') + "]" + numbers;
}

std::string heading(const api::ServiceView& service) {
    std::string text = service.name + ": ";
    if (!service.change) return text + (service.detail.empty() ? without_underscores(service.phase) : service.detail);
    text += service.change->what;
    if (!service.change->stage.empty()) text += ": " + service.change->stage;
    if (service.change->deadline_s) text += ", " + render_seconds(*service.change->deadline_s) + " more";
    return text;
}

}  // namespace

int leaving(const api::ServiceView& service) {
    return static_cast<int>(std::ranges::count_if(
        service.workers, [&](const api::WorkerView& worker) { return is_leaving(service, worker); }));
}

Tally tally(const api::ServiceView& service, int most_leaving) {
    const int target = service.phase == "stopping" ? 0 : service.target;
    const auto serving = std::ranges::count_if(service.workers, [&](const api::WorkerView& worker) {
        return !is_leaving(service, worker) && worker.state == "ready" && worker.settled;
    });
    const int gone = std::max(0, most_leaving - leaving(service));
    return {std::min(target, static_cast<int>(serving)) + gone, target + most_leaving};
}

std::string render_held(const api::WorkerView& worker) {
    std::string text;
    std::vector<std::string> named;
    for (const api::WaitingView& oldest : worker.waiting) {  // sorted by age, the oldest first
        if (std::ranges::find(named, oldest.kind) != named.end()) continue;
        named.push_back(oldest.kind);
        const std::uint64_t count = count_of_kind(worker, oldest.kind);
        text += (text.empty() ? "" : "; ") + count_of(oldest.kind, count) + (count > 1 ? ", oldest " : " ") +
                oldest.name + " " + render_seconds(oldest.age_s);
    }
    for (const api::HeldView& held : worker.held) {
        if (held.count == 0 || std::ranges::find(named, held.kind) != named.end()) continue;
        text += (text.empty() ? "" : "; ") + count_of(held.kind, held.count);
    }
    if (!text.empty() || worker.in_flight.value_or(0) == 0) return text;
    return count_of("request", *worker.in_flight);
}

std::string fit(std::string text, int columns) {
    const auto is_continuation = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
    int used = 0;
    std::size_t last = 0;  // offset of the character in the last column
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (is_continuation(at)) continue;
        if (++used == columns) last = at;
        if (used > columns) return text.substr(0, last) + "…";
    }
    return text;
}

std::string render_progress(const api::ServiceView& service, int most_leaving, int width, Colour colour) {
    const int columns = std::max(width - 1, 20);  // some terminals wrap a line of full width
    std::string text = paint(fit(heading(service), columns), "1", colour) + "\n";
    text += bar(tally(service, most_leaving), columns, colour) + "\n";
    std::vector<std::string> lines;
    for (const api::WorkerView& worker : service.workers) {
        const std::string why = reason(service, worker);
        if (!why.empty()) lines.push_back(fit("  " + worker.worker + "  " + why, columns));
    }
    const std::size_t shown = lines.size() > most_lines ? most_lines - 1 : lines.size();
    for (std::size_t line = 0; line < shown; ++line) text += lines[line] + "\n";
    if (shown < lines.size()) text += "  and " + std::to_string(lines.size() - shown) + " more\n";
    if (service.change && !service.change->failure.empty()) {
        text += paint(fit("  " + service.change->failure, columns), "31", colour) + "\n";
    }
    return text;
}

std::string render_event(const api::EventView& event) {
    std::string text = event.worker.empty() ? "" : event.worker + ": ";
    text += event.text.empty() ? event.event : event.text;
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
    return text;
}

}  // namespace holdfast::cli
