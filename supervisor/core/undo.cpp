#include "core/undo.hpp"

#include "core/pending.hpp"
#include "core/rollout.hpp"
#include "core/shutdown.hpp"

namespace holdfast::core {
namespace {

void refuse_undo(StepContext& context, RequestId asker, const std::string& why) {
    context.refuse(asker, "cannot undo: " + why);
}

void drop_pending_changes(StepContext& context, const std::string& asked_by) {
    drop_pending(context, {Outcome::Result::undone, "dropped before it began: undone by " + asked_by, {}, 1});
}

}  // namespace

void undo(StepContext& context, RequestId asker, const std::string& asked_by) {
    State& state = context.state;
    if (state.shutdown) {
        if (can_be_undone(state)) return undo_shutdown(context, asker, asked_by);
        return refuse_undo(context, asker, "the service was never ready, so there is nothing to return to");
    }
    if (state.rollout) {
        drop_pending_changes(context, asked_by);
        return undo_rollout(context, asker, asked_by);
    }
    if (state.scaling) return refuse_undo(context, asker, "the workers are being scaled; scale again instead");
    refuse_undo(
        context, asker,
        "neither a restart nor a stop is under way; `holdfast rollback` brings back the program of the last good "
        "generation");
}

}  // namespace holdfast::core
