#include "core/describe/unready.hpp"

#include <algorithm>

#include "core/describe/text.hpp"

namespace holdfast::core {
namespace {

constexpr std::size_t most_named = 3;

int count_ready(const State& state) {
    return static_cast<int>(
        std::ranges::count_if(state.workers, [](const auto& entry) { return is_ready(entry.second); }));
}

std::vector<std::size_t> looping_slots(const State& state) {
    std::vector<std::size_t> slots;
    for (std::size_t slot = 0; slot < static_cast<std::size_t>(state.target); ++slot) {
        if (state.slots[slot].looping) slots.push_back(slot);
    }
    return slots;
}

// Describes the last failures of at most `most_named` slots.
std::string describe_failures(const State& state, Instant now) {
    std::string text;
    std::size_t named = 0;
    for (const std::size_t slot : looping_slots(state)) {
        if (++named > most_named) break;
        const Slot& record = state.slots[slot];
        text += "; slot " + std::to_string(slot) + " crashes over and over: " + record.last_failure +
                quote_last(record.last_words);
        if (record.next_attempt && *record.next_attempt > now) {
            text += ", the next attempt is in " + seconds(*record.next_attempt - now);
        }
    }
    return text;
}

std::string describe_too_few(const State& state, int ready) {
    const std::string count = std::to_string(ready) + " of " + workers(state.target);
    if (!state.has_served) return "the service has not become ready yet: " + count;
    return count + (ready == 1 ? " is ready" : " are ready") + ", and --min-ready is " +
           std::to_string(state.policy.min_ready);
}

}  // namespace

std::string describe_loops(const State& state) {
    const std::vector<std::size_t> slots = looping_slots(state);
    if (slots.empty()) return {};
    if (slots.size() > most_named) return std::to_string(slots.size()) + " slots crash over and over";
    std::vector<std::string> names;
    for (const std::size_t slot : slots) names.push_back(std::to_string(slot));
    return (slots.size() == 1 ? "slot " : "slots ") + list_of(names) + (slots.size() == 1 ? " crashes" : " crash") +
           " over and over";
}

std::string unready_because(const State& state, Instant now) {
    if (state.shutdown || state.finished) return "the service is being stopped";
    if (state.pause) {
        return "the service is paused by " + state.pause->asked_by + ", for " + seconds(state.pause->until - now) +
               " more at most";
    }
    const int ready = count_ready(state);
    if (!state.has_served || ready < state.policy.min_ready) {
        return describe_too_few(state, ready) + describe_failures(state, now);
    }
    if (state.admission == Admission::refuse)
        return "no worker serves: new connections are refused" + describe_failures(state, now);
    return {};
}

}  // namespace holdfast::core
