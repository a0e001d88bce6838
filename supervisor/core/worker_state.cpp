#include "core/worker_state.hpp"

namespace holdfast::core {

std::string_view to_string(WorkerState state) {
    switch (state) {
        case WorkerState::starting:
            return "starting";
        case WorkerState::ready:
            return "ready";
        case WorkerState::paused:
            return "paused";
        case WorkerState::lame_duck:
            return "lame duck";
        case WorkerState::draining:
            return "draining";
        case WorkerState::cancelling:
            return "cancelling";
        case WorkerState::killed:
            return "killed";
        case WorkerState::gone:
            return "gone";
    }
    return "?";
}

}  // namespace holdfast::core
