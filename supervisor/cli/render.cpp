#include "cli/render.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "base/held_work.hpp"
#include "json/writer.hpp"

namespace holdfast::cli {
namespace {

template <class... Arguments>
std::string format(const char* form, Arguments... arguments) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), form, arguments...);
    return text.data();
}

std::string count(const std::optional<std::uint64_t>& number) { return number ? std::to_string(*number) : "-"; }

void add(std::string& note, const std::string& text) {
    if (!text.empty()) note += (note.empty() ? "" : "; ") + text;
}

std::string waiting_for(const api::WorkerView& worker) {
    // What a worker holds matters only when it was asked to leave.
    if (worker.why_leaving.empty()) return {};
    std::vector<HeldItem> things;
    for (const api::WaitingView& entry : worker.waiting) {
        things.push_back({entry.kind, entry.name + " (" + render_seconds(entry.age_s) + ")"});
    }
    std::vector<HeldItemCount> numbers;
    for (const api::HeldView& held : worker.held) numbers.push_back({held.kind, held.count});
    const std::string held = describe_held(things, numbers);
    if (worker.drained_s) {
        return "released everything " + (held.empty() ? "" : "but " + held + " ") + render_seconds(*worker.drained_s) +
               " ago and has not exited";
    }
    return held.empty() ? "" : "waits for " + held;
}

std::string work_items(std::string_view what, std::optional<std::uint64_t> count) {
    return count.value_or(0) == 0 ? "" : std::string(what) + ' ' + count_of("work", *count);
}

std::string note_on(const api::WorkerView& worker) {
    std::string note;
    if (worker.state == "paused" && worker.accepting == true) add(note, "told to pause, not confirmed yet");
    if (worker.recall == "awaited") add(note, "told to accept again, not confirmed yet");
    if (!worker.probe.empty()) add(note, "the last probe said " + worker.probe);
    if (worker.silent_s && *worker.silent_s < 0) add(note, "silent for longer than the watchdog allows");
    if (worker.state == "ready" && !worker.settled) add(note, "not settled yet");
    if (worker.deadline_s) add(note, "at most " + render_seconds(*worker.deadline_s) + " more");
    add(note, worker.why_leaving);
    add(note, waiting_for(worker));
    add(note, work_items("handed back", worker.handed_back));
    add(note, work_items("lost", worker.lost));
    if (!worker.not_seen.empty()) add(note, "its processes cannot be seen: " + worker.not_seen);
    add(note, worker.status);
    return note;
}

std::string workers_table(const api::ServiceView& service) {
    std::vector<std::vector<std::string>> rows{{"WORKER", "PID", "STATE", "SINCE", "SERVED", "IN-FLIGHT", "NOTE"}};
    for (const api::WorkerView& worker : service.workers) {
        rows.push_back({worker.worker, worker.pid == 0 ? "-" : std::to_string(worker.pid),
                        without_underscores(worker.state), render_seconds(worker.since_s), count(worker.served),
                        count(worker.in_flight), note_on(worker)});
    }
    return render_table(rows);
}

std::string slot_lines(const api::ServiceView& service) {
    std::string text;
    for (const api::SlotView& slot : service.slots) {
        if (!slot.next_attempt_s) continue;
        text += "slot " + std::to_string(slot.slot) + ": " + std::to_string(slot.crashes_in_a_row) +
                " crashes in a row, next attempt in " + render_seconds(*slot.next_attempt_s) +
                (slot.last_failure.empty() ? "" : ": " + slot.last_failure) + "\n";
        for (const std::string& line : slot.last_words) text += "  " + line + "\n";
    }
    return text;
}

// One line for each condition that differs from normal service.
std::string condition_lines(const api::ServiceView& service) {
    std::string text;
    if (service.change) {
        text += "under way: " + service.change->what;
        if (!service.change->stage.empty()) text += ", " + service.change->stage;
        if (service.change->deadline_s) text += ", " + render_seconds(*service.change->deadline_s) + " more";
        if (!service.change->asked_by.empty()) text += "; asked for by " + service.change->asked_by;
        if (service.change->waiting > 0)
            text +=
                "; " + count_of("request", static_cast<std::uint64_t>(service.change->waiting)) + " queued behind it";
        text += "\n";
        if (!service.change->failure.empty()) text += "failed: " + service.change->failure + "\n";
    }
    if (service.paused_s) text += "paused: accepts again in " + render_seconds(*service.paused_s) + " at the latest\n";
    if (service.refusing) text += "refusing: no worker serves, new connections are refused at once\n";
    if (!service.ready && !service.unready_because.empty()) text += "not ready: " + service.unready_because + "\n";
    if (service.mixed) text += "mixed: workers of more than one generation serve since a restart failed\n";
    if (service.rollback_to) {
        text += "rollback would start the program of generation " + std::to_string(*service.rollback_to) + "\n";
    }
    return text;
}

}  // namespace

std::string without_underscores(std::string word) {
    std::ranges::replace(word, '_', ' ');
    return word;
}

std::string render_seconds(double seconds) {
    if (seconds < 9.95) return format("%.1fs", std::max(seconds, 0.0));
    const auto whole = static_cast<std::int64_t>(seconds + 0.5);
    if (whole < 60) return format("%llds", static_cast<long long>(whole));
    if (whole < 3600)
        return format("%lldm%02llds", static_cast<long long>(whole / 60), static_cast<long long>(whole % 60));
    const auto minutes = whole / 60;
    if (minutes < 24 * 60)
        return format("%lldh%02lldm", static_cast<long long>(minutes / 60), static_cast<long long>(minutes % 60));
    const auto hours = minutes / 60;
    return format("%lldd%02lldh", static_cast<long long>(hours / 24), static_cast<long long>(hours % 24));
}

std::string render_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t column = 0; column < row.size(); ++column) {
            widths[column] = std::max(widths[column], row[column].size());
        }
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t column = 0; column < row.size(); ++column) {
            line += row[column] + std::string(widths[column] - row[column].size() + 2, ' ');
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string render_status(const api::ServiceView& service) {
    std::string text =
        service.name + " (pid " + std::to_string(service.pid) + "): " + without_underscores(service.phase);
    if (!service.detail.empty()) text += ", " + service.detail;
    text += "\ngeneration " + std::to_string(service.generation) + ", target " + std::to_string(service.target) +
            ", crashes replaced " + std::to_string(service.restarts) + "\n";
    text += condition_lines(service);
    for (const api::ListenerView& listener : service.listeners) {
        text += "listening on " + listener.address;
        if (listener.name != listener.address) text += " as " + listener.name;
        if (listener.revived > 0) text += ", revived " + std::to_string(listener.revived) + " times";
        text += "\n";
    }
    return text + slot_lines(service) + "\n" + workers_table(service);
}

std::string render_logs(const std::vector<api::OutputView>& outputs) {
    std::string text;
    for (const api::OutputView& output : outputs) {
        text += "worker " + output.worker + " (pid " + std::to_string(output.pid) + ")";
        text += output.of == "ended" ? ", ended:\n" : ":\n";
        if (output.lines.empty()) text += "  (no output)\n";
        for (const std::string& line : output.lines) text += "  " + line + "\n";
    }
    return outputs.empty() ? "no output of a worker is kept\n" : text;
}

std::string logs_to_json(const std::vector<api::OutputView>& outputs) {
    json::Writer json;
    json.open_array();
    for (const api::OutputView& output : outputs) {
        json.open_object().member("worker", output.worker).member("pid", output.pid).member("of", output.of);
        json.key("lines").open_array();
        for (const std::string& line : output.lines) json.value(line);
        json.close_array().close_object();
    }
    return json.close_array().take() + "\n";
}

std::string render_outcome(const api::ChangeOutcome& outcome) {
    std::string text = outcome.text.empty() ? outcome.result : outcome.text;
    text += "\n";
    if (outcome.last_words.empty()) return text;
    text += "its last words:\n";
    for (const std::string& line : outcome.last_words) text += "  " + line + "\n";
    return text;
}

}  // namespace holdfast::cli
