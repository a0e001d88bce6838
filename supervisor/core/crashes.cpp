#include "core/crashes.hpp"

#include <algorithm>

#include "core/ladder.hpp"
#include "core/rollout.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

// A worker that serves shorter than this before it stops of its own accord could make a busy loop of it.
constexpr Duration hardly_served = 1s;

bool crashes_over_and_over(const Slot& slot) { return slot.crashes_in_a_row >= crash_loop_after; }

// Whose worker has been ready for so long that the crashes before it no longer count.
std::vector<bool> find_steady_slots(const Turn& turn) {
    std::vector<bool> steady(turn.state.slots.size());
    for (const auto& [id, worker] : turn.state.workers) {
        if (is_ready(worker) && has_outlived_crashes(worker, turn.now)) steady[worker.slot.value] = true;
    }
    return steady;
}

void begin_loop(Turn& turn, std::size_t slot) {
    Slot& record = turn.state.slots[slot];
    record.looping = true;
    turn.note(Level::warning, "crash_loop",
              "slot " + std::to_string(slot) + " crashes over and over, " + std::to_string(record.crashes_in_a_row) +
                  " times in a row: " + record.last_failure + quote_last(record.last_words));
}

void end_loop(Turn& turn, std::size_t slot) {
    turn.state.slots[slot].looping = false;
    turn.note(Level::info, "crash_loop_over",
              "slot " + std::to_string(slot) + " does not crash over and over any more");
}

}  // namespace

std::string describe(const Crash& crash) {
    return crash.hint.empty() ? crash.what : crash.what + " (" + crash.hint + ")";
}

bool has_outlived_crashes(const Worker& worker, Instant now) {
    return worker.ready_since && now - *worker.ready_since >= backoff_reset_after;
}

void count_crash(Turn& turn, const Worker& worker, const Crash& crash) {
    Slot& slot = turn.state.slots[worker.slot.value];
    if (has_outlived_crashes(worker, turn.now)) slot.crashes_in_a_row = 0;
    const Duration delay = backoff_delay(turn.state.policy, ++slot.crashes_in_a_row, turn.state.random);
    slot.crashed = true;
    slot.next_attempt = turn.now + delay;
    slot.last_failure = "worker " + name_of(worker) + " " + describe(crash);
    slot.last_words = crash.last_words;
    slot.to_blame = worker.id;
    if (delay > Duration::zero()) {
        turn.note(Level::warning, "backoff",
                  "slot " + std::to_string(worker.slot.value) + ": " + std::to_string(slot.crashes_in_a_row) +
                      " crashes in a row, the next launch is in " + seconds(delay));
    }
    fail_rollout_by(turn, worker, describe(crash), crash.last_words);
}

void give_up(Turn& turn, Worker& worker, const std::string& what) {
    turn.note(Level::warning, "worker_crashed", worker, what);
    if (!is_leaving(worker)) {
        worker.reason = Reason::unhealthy;
        worker.why = "it " + what;
        count_crash(turn, worker, {what, {}, {}});
    }
    worker.recalled = false;
    apply(turn, worker, Trigger::asked_to_leave);
}

void count_own_stop(Turn& turn, const Worker& worker) {
    const std::string what = "stopped on its own account";
    if (!worker.ready_since || turn.now - *worker.ready_since < hardly_served) {
        const std::string when = worker.ready_since ? " as soon as it was ready" : " before it was ready";
        return count_crash(turn, worker, {what + when, {}, {}});
    }
    turn.state.slots[worker.slot.value].next_attempt = turn.now;
    fail_rollout_by(turn, worker, what, {});
}

void complete_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words) {
    Slot& slot = state.slots[worker.slot.value];
    if (slot.to_blame == worker.id && slot.last_words.empty()) slot.last_words = last_words;
}

void forgive_crashes(State& state) {
    for (Slot& slot : state.slots) {
        slot.crashes_in_a_row = 0;
        slot.next_attempt.reset();
    }
}

void watch_for_loops(Turn& turn) {
    State& state = turn.state;
    if (state.ending) return;
    const std::vector<bool> steady = find_steady_slots(turn);
    for (std::size_t slot = 0; slot < state.slots.size(); ++slot) {
        Slot& record = state.slots[slot];
        if (record.looping && steady[slot]) record.crashes_in_a_row = 0;
        const bool wanted = slot < static_cast<std::size_t>(state.target);
        const bool looping = wanted && !steady[slot] && crashes_over_and_over(record);
        if (record.looping && !looping) end_loop(turn, slot);
        if (!record.looping && looping && !state.rollout) begin_loop(turn, slot);
    }
}

std::optional<Instant> loop_ends_at(const State& state, const Worker& worker) {
    if (!state.slots[worker.slot.value].looping || !is_ready(worker) || state.ending) return std::nullopt;
    return *worker.ready_since + backoff_reset_after;
}

}  // namespace holdfast::core
