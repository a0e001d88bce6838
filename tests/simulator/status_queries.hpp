#pragma once

#include <algorithm>

#include "core/status.hpp"

namespace holdfast::simulator {

inline const core::WorkerStatus* find_worker(const core::Status& status, WorkerId id) {
    const auto found = std::ranges::find(status.workers, id, &core::WorkerStatus::id);
    return found == status.workers.end() ? nullptr : &*found;
}

inline bool all_serve(const core::Status& status) {
    const auto settled = std::ranges::count_if(status.workers, [](const core::WorkerStatus& worker) {
        return worker.state == core::WorkerState::ready && worker.settled;
    });
    return status.phase == core::Phase::serving && settled == status.target;
}

}  // namespace holdfast::simulator
