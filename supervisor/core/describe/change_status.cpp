#include "core/describe/change_status.hpp"

#include <algorithm>

#include "core/describe/text.hpp"

namespace holdfast::core {
namespace {

std::string what_of(const State& state, const Rollout& rollout) {
    const bool program_of_another = rollout.kind == Rollout::Kind::rollback && !state.rollback_targets.empty();
    if (program_of_another) return "rollback to the program of " + name_of(state.rollback_targets.back().generation);
    return std::string(noun_of(rollout.kind)) + " to " + name_of(rollout.next.generation);
}

std::string_view stage_of(const Rollout& rollout) {
    if (rollout.direction == Rollout::Direction::back) return "rolling back";
    switch (rollout.stage) {
        case Rollout::Stage::preparing:
            return "checking";
        case Rollout::Stage::launching:
            return rollout.committed ? "taking over" : "starting";
        case Rollout::Stage::probation:
            return "probation";
        case Rollout::Stage::retiring:
            return "retiring";
    }
    return "?";
}

std::optional<Instant> unless_never(Instant deadline) {
    if (deadline == never) return std::nullopt;
    return deadline;
}

ChangeStatus show(const State& state, const Rollout& rollout) {
    ChangeStatus change;
    change.what = what_of(state, rollout);
    change.asked_by = rollout.asked_by;
    change.stage = stage_of(rollout);
    change.failure = rollout.failure;
    change.deadline = unless_never(std::min({rollout.preparing_until, rollout.probation_until, rollout.deadline}));
    return change;
}

bool all_slots_are_served(const State& state) {
    std::vector<bool> served(static_cast<std::size_t>(state.target));
    for (const auto& [id, worker] : state.workers) {
        if (is_ready(worker) && worker.slot.value < served.size()) served[worker.slot.value] = true;
    }
    return std::ranges::all_of(served, [](bool is) { return is; });
}

ChangeStatus show(const State& state, const Scaling& scaling) {
    const bool undo = scaling.kind == Scaling::Kind::undo_of_stop;
    ChangeStatus change;
    change.what = undo ? "undo of the stop" : "scale to " + std::to_string(state.target);
    change.asked_by = scaling.asked_by;
    change.stage = all_slots_are_served(state) ? "retiring" : "starting";
    change.deadline = unless_never(scaling.deadline);
    return change;
}

}  // namespace

std::optional<ChangeStatus> show_change(const State& state) {
    if (!state.rollout && !state.scaling) return std::nullopt;
    ChangeStatus change = state.rollout ? show(state, *state.rollout) : show(state, *state.scaling);
    for (const PendingChange& pending : state.pending) change.waiting += static_cast<int>(pending.askers.size());
    return change;
}

}  // namespace holdfast::core
