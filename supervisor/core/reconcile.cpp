#include "core/reconcile.hpp"

#include <algorithm>

#include "core/admission.hpp"
#include "core/first_generation.hpp"
#include "core/readiness.hpp"
#include "core/requests.hpp"
#include "core/rollout.hpp"
#include "core/rollout_end.hpp"
#include "core/scaling.hpp"
#include "core/service_manager.hpp"
#include "core/shutdown.hpp"

namespace holdfast::core {
namespace {

void advance_change(StepContext& context) {
    const State& state = context.state;
    if (state.shutdown) return advance_shutdown(context);
    if (state.first_generation) return advance_first_generation(context);
    if (state.rollout && !is_preparing(*state.rollout)) return advance_rollout(context);
    fill_slots(context);
    if (state.scaling) advance_scaling(context);
}

// A spec is needed while a worker may be launched from it, or while a worker that was launched from it still exists.
bool is_needed(const State& state, LaunchSpecId spec) {
    if (spec == state.serving.spec) return true;
    if (state.rollout && (spec == state.rollout->former.spec || spec == state.rollout->next.spec)) return true;
    const bool good = std::any_of(state.rollback_targets.begin(), state.rollback_targets.end(),
                                  [&](const Origin& origin) { return origin.spec == spec; });
    if (good) return true;
    return std::any_of(state.workers.begin(), state.workers.end(),
                       [&](const auto& entry) { return entry.second.spec == spec; });
}

void forget_specs(StepContext& context) {
    auto& specs = context.state.specs;
    for (auto spec = specs.begin(); spec != specs.end();) {
        if (is_needed(context.state, *spec)) {
            ++spec;
            continue;
        }
        context.add(ForgetSpec{*spec});
        spec = specs.erase(spec);
    }
}

// A launch attempt that is due has been made, or is made as soon as a slot may be filled: it needs no deadline any
// more.
void drop_past_attempts(StepContext& context) {
    for (Slot& slot : context.state.slots) {
        if (slot.next_attempt && *slot.next_attempt <= context.now) slot.next_attempt.reset();
    }
}

}  // namespace

void reconcile(StepContext& context) {
    const State& state = context.state;
    bool is_over = false;
    do {
        // A change may also change the durations (settle, ready-when).
        for (auto& [id, worker] : context.state.workers) apply_elapsed_time(context, worker);
        const bool was_under_way = state.rollout || state.first_generation;
        advance_change(context);
        // A change that has just ended can leave work behind (a scale, an empty slot). It is done in the same step.
        is_over = was_under_way && !state.rollout && !state.first_generation;
    } while (begin_next_change(context) || (is_over && !state.finished));
    if (context.state.finished) return;
    close_removed_listeners(context);
    drop_past_attempts(context);
    forget_specs(context);
    refuse_clients_if_unserved(context);
    refuse_on_removed_listeners_if_unserved(context);
    report_status(context);
    extend_stop_timeout(context);
}

}  // namespace holdfast::core
