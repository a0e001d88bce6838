#include "core/crashes.hpp"

#include <algorithm>

#include "core/describe/text.hpp"
#include "core/rollout.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

// A worker that stops on its own initiative sooner than this after it became ready could cause a busy loop.
constexpr Duration min_served = 1s;

bool crashes_over_and_over(const Slot& slot) { return slot.crashes_in_a_row >= crash_loop_after; }

// Marks the slots whose worker has been ready for so long that the earlier crashes no longer count.
std::vector<bool> find_steady_slots(const StepContext& context) {
    std::vector<bool> steady(context.state.slots.size());
    for (const auto& [id, worker] : context.state.workers) {
        if (is_ready(worker) && has_outlived_crashes(worker, context.now)) steady[worker.slot.value] = true;
    }
    return steady;
}

void begin_crash_loop(StepContext& context, std::size_t slot) {
    Slot& record = context.state.slots[slot];
    record.looping = true;
    context.note(Level::warning, "crash_loop",
                 "slot " + std::to_string(slot) + " crashes over and over, " + std::to_string(record.crashes_in_a_row) +
                     " times in a row: " + record.last_failure + quote_last(record.last_words));
}

void end_crash_loop(StepContext& context, std::size_t slot) {
    context.state.slots[slot].looping = false;
    context.note(Level::info, "crash_loop_over", "slot " + std::to_string(slot) + " no longer crashes over and over");
}

}  // namespace

std::string describe(const Crash& crash) {
    return crash.hint.empty() ? crash.what : crash.what + " (" + crash.hint + ")";
}

bool has_outlived_crashes(const Worker& worker, Instant now) {
    return worker.ready_since && now - *worker.ready_since >= backoff_reset_after;
}

void count_crash(StepContext& context, const Worker& worker, const Crash& crash) {
    Slot& slot = context.state.slots[worker.slot.value];
    if (has_outlived_crashes(worker, context.now)) slot.crashes_in_a_row = 0;
    const Duration delay = backoff_delay(context.state.policy, ++slot.crashes_in_a_row, context.state.random);
    slot.crashed = true;
    slot.next_attempt = context.now + delay;
    slot.last_failure = "worker " + name_of(worker) + " " + describe(crash);
    slot.last_words = crash.last_words;
    slot.failed_worker = worker.id;
    if (delay > Duration::zero()) {
        context.note(Level::warning, "backoff",
                     "slot " + std::to_string(worker.slot.value) + ": " + std::to_string(slot.crashes_in_a_row) +
                         " crashes in a row, the next launch is in " + seconds(delay));
    }
    fail_rollout_by(context, worker, describe(crash), crash.last_words);
}

void fail_worker(StepContext& context, Worker& worker, const std::string& what) {
    context.note(Level::warning, "worker_crashed", worker, what);
    if (!is_leaving(worker)) {
        worker.reason = Reason::unhealthy;
        worker.why = "it " + what;
        count_crash(context, worker, {what, {}, {}});
    }
    worker.recalled = false;
    apply(context, worker, Trigger::asked_to_leave);
}

void count_voluntary_stop(StepContext& context, const Worker& worker) {
    const std::string what = "stopped on its own initiative";
    if (!worker.ready_since || context.now - *worker.ready_since < min_served) {
        const std::string when = worker.ready_since ? " as soon as it was ready" : " before it was ready";
        return count_crash(context, worker, {what + when, {}, {}});
    }
    context.state.slots[worker.slot.value].next_attempt = context.now;
    fail_rollout_by(context, worker, what, {});
}

void complete_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words) {
    Slot& slot = state.slots[worker.slot.value];
    if (slot.failed_worker == worker.id && slot.last_words.empty()) slot.last_words = last_words;
}

void reset_crashes(State& state) {
    for (Slot& slot : state.slots) {
        slot.crashes_in_a_row = 0;
        slot.next_attempt.reset();
    }
}

void detect_crash_loops(StepContext& context) {
    State& state = context.state;
    if (state.shutdown) return;
    const std::vector<bool> steady = find_steady_slots(context);
    for (std::size_t slot = 0; slot < state.slots.size(); ++slot) {
        Slot& record = state.slots[slot];
        if (record.looping && steady[slot]) record.crashes_in_a_row = 0;
        const bool wanted = slot < static_cast<std::size_t>(state.target);
        const bool looping = wanted && !steady[slot] && crashes_over_and_over(record);
        if (record.looping && !looping) end_crash_loop(context, slot);
        if (!record.looping && looping && !state.rollout) begin_crash_loop(context, slot);
    }
}

std::optional<Instant> crash_loop_ends_at(const State& state, const Worker& worker) {
    if (!state.slots[worker.slot.value].looping || !is_ready(worker) || state.shutdown) return std::nullopt;
    return *worker.ready_since + backoff_reset_after;
}

}  // namespace holdfast::core
