#include "core/undo.hpp"

#include "core/ending.hpp"
#include "core/pending.hpp"
#include "core/rollout.hpp"

namespace holdfast::core {
namespace {

void refuse_undo(Turn& turn, RequestId asker, const std::string& why) { turn.refuse(asker, "cannot undo: " + why); }

void drop_what_waits(Turn& turn, const std::string& asked_by) {
    drop_pending(turn, {Outcome::Result::undone, "dropped before it began: undone by " + asked_by, {}, 1});
}

}  // namespace

void undo(Turn& turn, RequestId asker, const std::string& asked_by) {
    State& state = turn.state;
    if (state.ending) {
        if (can_be_undone(state)) return undo_ending(turn, asker, asked_by);
        return refuse_undo(turn, asker, "no worker ever served, so there is nothing to go back to");
    }
    if (state.rollout) {
        drop_what_waits(turn, asked_by);
        return undo_rollout(turn, asker, asked_by);
    }
    if (state.scaling) return refuse_undo(turn, asker, "the workers are being scaled; scale again instead");
    refuse_undo(
        turn, asker,
        "neither a restart nor a stop is under way; `holdfast rollback` brings back the program of the last good "
        "generation");
}

}  // namespace holdfast::core
