#include "core/doors.hpp"

#include <algorithm>

namespace holdfast::core {
namespace {

// Only an SDK worker says when it has stopped accepting; of any other nobody can know before it is gone.
bool may_accept(const Worker& worker) {
    switch (worker.state) {
        case WorkerState::draining:
            return worker.speaks != Speaks::protocol || worker.accepting != false;
        case WorkerState::cancelling:
            return worker.speaks != Speaks::protocol;
        case WorkerState::killed:
        case WorkerState::gone:
            return false;
        default:
            return true;
    }
}

}  // namespace

void close_doors_if_nobody_accepts(Turn& turn) {
    State& state = turn.state;
    const bool none_will_come = state.ending || state.target == 0;
    if (state.doors == Doors::refuse || !none_will_come) return;
    const bool anybody = std::any_of(state.workers.begin(), state.workers.end(),
                                     [](const auto& entry) { return may_accept(entry.second); });
    if (anybody) return;
    state.doors = Doors::refuse;
    turn.add(SetDoors{Doors::refuse});
    turn.note(Level::info, "doors_closed", "no worker accepts any more and none will come: new clients are refused");
}

}  // namespace holdfast::core
