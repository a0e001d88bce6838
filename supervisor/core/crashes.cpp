#include "core/crashes.hpp"

#include "core/rollout.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

// A worker that serves shorter than this before it stops of its own accord could make a busy loop of it.
constexpr Duration hardly_served = 1s;

}  // namespace

bool has_outlived_crashes(const Worker& worker, Instant now) {
    return worker.ready_since && now - *worker.ready_since >= backoff_reset_after;
}

void count_crash(Turn& turn, const Worker& worker, const std::string& what,
                 const std::vector<std::string>& last_words) {
    Slot& slot = turn.state.slots[worker.slot.value];
    if (has_outlived_crashes(worker, turn.now)) slot.crashes_in_a_row = 0;
    const Duration delay = backoff_delay(turn.state.policy, ++slot.crashes_in_a_row, turn.state.random);
    slot.crashed = true;
    slot.next_attempt = turn.now + delay;
    slot.last_failure = "worker " + name_of(worker) + " " + what;
    slot.last_words = last_words;
    if (delay > Duration::zero()) {
        turn.note(Level::warning, "backoff",
                  "slot " + std::to_string(worker.slot.value) + ": " + std::to_string(slot.crashes_in_a_row) +
                      " crashes in a row, the next launch is in " + seconds(delay));
    }
    fail_rollout_by(turn, worker, what, last_words);
}

void count_own_stop(Turn& turn, const Worker& worker) {
    const std::string what = "stopped on its own account";
    if (!worker.ready_since || turn.now - *worker.ready_since < hardly_served) {
        return count_crash(turn, worker,
                           what + (worker.ready_since ? " as soon as it was ready" : " before it was ready"), {});
    }
    turn.state.slots[worker.slot.value].next_attempt = turn.now;
    fail_rollout_by(turn, worker, what, {});
}

void forgive_crashes(State& state) {
    for (Slot& slot : state.slots) {
        slot.crashes_in_a_row = 0;
        slot.next_attempt.reset();
    }
}

}  // namespace holdfast::core
