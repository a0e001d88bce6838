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

std::string_view to_string(Trigger trigger) {
    switch (trigger) {
        case Trigger::became_ready:
            return "became ready";
        case Trigger::asked_to_pause:
            return "asked to pause";
        case Trigger::asked_to_lame_duck:
            return "asked to lame duck";
        case Trigger::asked_to_leave:
            return "asked to leave";
        case Trigger::took_back:
            return "took back";
        case Trigger::said_stopping:
            return "said stopping";
        case Trigger::main_exited:
            return "main exited";
        case Trigger::channel_lost:
            return "channel lost";
        case Trigger::deadline_passed:
            return "deadline passed";
        case Trigger::skipped:
            return "skipped";
        case Trigger::launch_failed:
            return "launch failed";
        case Trigger::exited:
            return "exited";
    }
    return "?";
}

}  // namespace holdfast::core
