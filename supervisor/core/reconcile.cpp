#include "core/reconcile.hpp"

#include <algorithm>

#include "core/doors.hpp"
#include "core/ending.hpp"
#include "core/first_generation.hpp"
#include "core/manager.hpp"
#include "core/readiness.hpp"
#include "core/requests.hpp"
#include "core/rollout.hpp"
#include "core/rollout_end.hpp"
#include "core/scaling.hpp"

namespace holdfast::core {
namespace {

void advance_change(Turn& turn) {
    const State& state = turn.state;
    if (state.ending) return advance_ending(turn);
    if (state.first_generation) return advance_first_generation(turn);
    if (state.rollout && !is_preparing(*state.rollout)) return advance_rollout(turn);
    keep_slots(turn);
    if (state.scaling) advance_scaling(turn);
}

// A spec is needed while something may be launched from it, or lives that was.
bool is_needed(const State& state, LaunchSpecId spec) {
    if (spec == state.serving.spec) return true;
    if (state.rollout && (spec == state.rollout->former.spec || spec == state.rollout->next.spec)) return true;
    const bool good =
        std::any_of(state.good.begin(), state.good.end(), [&](const Origin& origin) { return origin.spec == spec; });
    if (good) return true;
    return std::any_of(state.workers.begin(), state.workers.end(),
                       [&](const auto& entry) { return entry.second.spec == spec; });
}

void forget_specs(Turn& turn) {
    auto& specs = turn.state.specs;
    for (auto spec = specs.begin(); spec != specs.end();) {
        if (is_needed(turn.state, *spec)) {
            ++spec;
            continue;
        }
        turn.add(ForgetSpec{*spec});
        spec = specs.erase(spec);
    }
}

// An attempt that was due has been made, or is made as soon as there is room: no deadline is left of it.
void drop_past_attempts(Turn& turn) {
    for (Slot& slot : turn.state.slots) {
        if (slot.next_attempt && *slot.next_attempt <= turn.now) slot.next_attempt.reset();
    }
}

}  // namespace

void reconcile(Turn& turn) {
    const State& state = turn.state;
    bool is_over = false;
    do {
        // What a change brings may be other times.
        for (auto& [id, worker] : turn.state.workers) let_time_count(turn, worker);
        const bool was_under_way = state.rollout || state.first_generation;
        advance_change(turn);
        // What it left to be done, a scale or an empty slot, waits for no further event.
        is_over = was_under_way && !state.rollout && !state.first_generation;
    } while (begin_next_change(turn) || (is_over && !state.finished));
    if (turn.state.finished) return;
    close_other_listeners(turn);
    drop_past_attempts(turn);
    forget_specs(turn);
    close_doors_if_nobody_accepts(turn);
    refuse_others_if_nobody_accepts(turn);
    say_status(turn);
    ask_for_time(turn);
}

}  // namespace holdfast::core
