#include "core/manager.hpp"

#include <algorithm>

#include "core/snapshot.hpp"

namespace holdfast::core {
namespace {

constexpr Duration not_more_often_than = 1s;

Instant latest_end(const State& state) {
    Instant latest = Instant::min();
    for (const auto& [id, worker] : state.workers) {
        latest =
            std::max(latest, worker.state == WorkerState::killed ? worker.deadline : worker.kill_at + unkillable_after);
    }
    return latest;
}

}  // namespace

void say_status(Turn& turn) {
    std::string text = describe(turn.state);
    if (text == turn.state.manager.status) return;
    turn.add(ManagerStatus{text});
    turn.state.manager.status = std::move(text);
}

std::optional<Instant> asks_for_time_at(const State& state) {
    const ManagerTold& told = state.manager;
    if (!state.ending || state.workers.empty() || state.finished) return std::nullopt;
    if (!told.progress && latest_end(state) <= told.until) return std::nullopt;
    return told.at ? *told.at + not_more_often_than : Instant::min();
}

void ask_for_time(Turn& turn) {
    const auto due = asks_for_time_at(turn.state);
    if (!due || *due > turn.now) return;
    const Instant end = latest_end(turn.state);
    turn.add(ManagerExtend{end - turn.now});
    turn.state.manager.until = end;
    turn.state.manager.at = turn.now;
    turn.state.manager.progress = false;
}

}  // namespace holdfast::core
