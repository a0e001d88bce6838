#include "core/stage_delivery.hpp"

#include "base/exit_status.hpp"
#include "core/describe/text.hpp"

namespace holdfast::core {
namespace {

std::optional<Stage> stage_of(WorkerState state) {
    switch (state) {
        case WorkerState::paused:
            return Stage::pause;
        case WorkerState::lame_duck:
            return Stage::lame_duck;
        case WorkerState::draining:
            return Stage::drain;
        case WorkerState::cancelling:
            return Stage::cancel;
        default:
            return std::nullopt;
    }
}

int signal_of(const Policy& policy, Stage stage) {
    if (stage == Stage::drain) return policy.stop_signal;
    if (stage == Stage::cancel) return policy.cancel_signal;
    return 0;
}

std::string_view verb_of(Stage stage) {
    switch (stage) {
        case Stage::pause:
            return "pause";
        case Stage::lame_duck:
            return "enter lame duck";
        case Stage::drain:
            return "drain";
        case Stage::cancel:
            return "cancel what is left";
        case Stage::run:
            return "run";
    }
    return "?";
}

std::string_view next_after(Stage stage) {
    switch (stage) {
        case Stage::pause:
        case Stage::lame_duck:
            return " until drain, ";
        case Stage::drain:
            return " until cancel, ";
        default:
            return "";
    }
}

// "drain (restart): 30.0 s until cancel, 35.0 s until it is killed"
std::string describe_stage(const StepContext& context, const Worker& worker, Stage stage) {
    std::string text{verb_of(stage)};
    if (worker.reason) text.append(" (").append(to_string(*worker.reason)).append(")");
    text += ": ";
    const std::string_view next = next_after(stage);
    if (!next.empty()) text.append(seconds(worker.deadline - context.now)).append(next);
    return text + seconds(worker.kill_at - context.now) + " until it is killed";
}

void send(StepContext& context, Worker& worker, Stage stage, int signal) {
    if (signal == 0) return;
    worker.signalled = true;
    context.add(Signal{worker.id, signal, worker.main_exited ? Target::group : Target::main});
    if (worker.strays > 0) context.add(Signal{worker.id, signal, Target::strays});
    context.note(Level::info, "worker_signalled", worker,
                 signal_name(signal) + (worker.main_exited ? " to its group, to " : ", to ") +
                     describe_stage(context, worker, stage));
}

}  // namespace

bool can_receive_stage(const Worker& worker) {
    const auto stage = stage_of(worker.state);
    return stage && can_receive(worker, *stage);
}

void send_stage(StepContext& context, const Worker& worker) {
    const auto stage = stage_of(worker.state);
    if (!can_receive_stage(worker)) return;
    const int fallback = worker.main_exited ? 0 : signal_of(context.state.policy, *stage);
    context.add(
        Tell{worker.id, Command{*stage, to_usec(worker.deadline), to_usec(worker.kill_at), worker.reason}, fallback});
    context.note(Level::info, "worker_told", worker, "told to " + describe_stage(context, worker, *stage));
}

void signal_stage(StepContext& context, Worker& worker) {
    const auto stage = stage_of(worker.state);
    if (!stage || worker.launch == Launch::pending) return;
    send(context, worker, *stage, signal_of(context.state.policy, *stage));
}

void signal_late_strays(StepContext& context, const Worker& worker) {
    const auto stage = stage_of(worker.state);
    const int signal = stage ? signal_of(context.state.policy, *stage) : 0;
    if (signal != 0) context.add(Signal{worker.id, signal, Target::strays});
}

void deliver_stage(StepContext& context, Worker& worker) {
    send_stage(context, worker);
    // If the main process was a wrapper that has exited, the rest of its group may not have the control pipe.
    if (!can_receive_stage(worker) || worker.main_exited) signal_stage(context, worker);
}

}  // namespace holdfast::core
