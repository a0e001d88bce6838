// Executes the actions of the core and reports violations of the contract in core/action.hpp.

#include <algorithm>
#include <string>

#include "tests/support/fake_world.hpp"

namespace holdfast::testing {

namespace {

constexpr int sigkill = 9;

std::string name_of(const FakeWorker& worker) {
    return "worker #" + std::to_string(worker.id().value) + " (" + std::to_string(worker.spawn.generation.value) + "." +
           std::to_string(worker.spawn.slot.value) + ")";
}

// The order of core/action_order.hpp: first what has an effect, then the log, then what is dropped.
int group_of(const core::Action& action) {
    if (std::holds_alternative<core::Note>(action)) return 1;
    if (std::holds_alternative<core::CheckBacklogs>(action)) return 2;
    return std::holds_alternative<core::Forget>(action) ? 3 : 0;
}

}  // namespace

void FakeWorld::carry_out_all() {
    const bool was_finished = exit_code_.has_value();
    for (std::size_t i = 0; i < actions_.size(); ++i) {
        if (i > 0 && group_of(actions_[i]) < group_of(actions_[i - 1]))
            violated("an action after one that is to follow it");
        if (exit_code_ && group_of(actions_[i]) == 0) return violated("an action with an effect after Finish");
        std::visit([this](const auto& action) { carry_out(action); }, actions_[i]);
    }
    if (exit_code_ && !was_finished) check_nothing_left();
}

std::optional<std::size_t> FakeWorld::subject_of(WorkerId id, const char* what) {
    for (std::size_t i = workers_.size(); i-- > 0;) {
        const FakeWorker& worker = workers_[i];
        if (worker.id() != id) continue;
        if (worker.is_forgotten) {
            violated(std::string(what) + " of the forgotten " + name_of(worker));
            return std::nullopt;
        }
        return i;
    }
    violated(std::string(what) + " of a worker that was never launched: #" + std::to_string(id.value));
    return std::nullopt;
}

void FakeWorld::carry_out(const core::Spawn& action) {
    if (find(action.worker) != nullptr) return violated("Spawn with a used id #" + std::to_string(action.worker.value));
    if (admission_ == core::Admission::refuse) violated("Spawn while connections are refused");
    check_allowed(specs_.spawn(action));
    if (action.generation.value == 0) violated("Spawn of generation 0");
    FakeWorker worker{.spawn = action, .script = script_source_(action), .launched = now_};
    const WorkerScript& script = worker.script;
    workers_.push_back(worker);
    if (script.launch == Launch::hangs) return;
    plan(workers_.size() - 1, script.launch == Launch::fails ? What::spawn_failed : What::spawned, script.launch_takes);
}

void FakeWorld::check_command(const core::Tell& action, const FakeWorker& worker) {
    const Command& command = action.command;
    if (command.stage == Stage::run) {
        if (worker.has_released) violated("Tell run after RELEASING=1 to " + name_of(worker));
        return;
    }
    if (!command.deadline_usec || !command.kill_usec)
        return violated("Tell of a stage without deadlines to " + name_of(worker));
    // The deadline may have passed only if the timer is late.
    const auto due = supervisor_.next_deadline();
    const bool is_late = due && *due <= now_;
    if (*command.deadline_usec < to_usec(now_) && !is_late)
        violated("Tell of a stage whose deadline has passed to " + name_of(worker));
    if (*command.kill_usec < *command.deadline_usec)
        violated("Tell of KILL_USEC before DEADLINE_USEC to " + name_of(worker));
    if (!command.reason && command.stage != Stage::pause)
        violated("Tell of a stage without reason to " + name_of(worker));
}

void FakeWorld::carry_out(const core::Tell& action) {
    const auto index = subject_of(action.worker, "Tell");
    if (!index) return;
    const FakeWorker& worker = workers_[*index];
    if (!worker.spawned_at) return violated("Tell before Spawned to " + name_of(worker));
    if (worker.life == FakeWorker::Life::ended) return violated("Tell after the exit of " + name_of(worker));
    if (!worker.receives_stages()) return violated("Tell to a worker that receives no stages: " + name_of(worker));
    if (!worker.script.stages.has(action.command.stage))
        return violated("Tell of a stage that is not listed to " + name_of(worker));
    if (action.command.stage == Stage::run) check_allowed(specs_.check_recall(worker.spawn.spec));
    check_command(action, worker);
    apply_stage(*index, action.command);
}

void FakeWorld::carry_out(const core::Signal& action) {
    const auto index = subject_of(action.worker, "Signal");
    if (!index) return;
    FakeWorker& worker = workers_[*index];
    if (!worker.spawned_at) return violated("Signal before Spawned to " + name_of(worker));
    if (worker.life == FakeWorker::Life::ended) return violated("Signal after the exit of " + name_of(worker));
    if (action.signal == sigkill || action.signal <= 0)
        return violated("signal " + std::to_string(action.signal) + " to " + name_of(worker));
    if (action.target == core::Target::group) {
        ++worker.group_signals;
        return apply_group_signal(*index, action.signal);
    }
    if (action.target == core::Target::strays) return;
    if (worker.life == FakeWorker::Life::main_ended)
        return violated("Signal to the exited main process of " + name_of(worker));
    const bool is_stop = action.signal == policy_.stop_signal;
    (is_stop ? worker.stop_signals : worker.cancel_signals) += 1;
    const int expected = is_stop && policy_.cancel_signal == policy_.stop_signal ? 2 : 1;
    if ((is_stop ? worker.stop_signals : worker.cancel_signals) > expected)
        violated("the same signal again to " + name_of(worker));
    apply_signal(*index, action.signal);
}

void FakeWorld::carry_out(const core::Kill& action) {
    const auto index = subject_of(action.worker, "Kill");
    if (!index) return;
    if (workers_[*index].life == FakeWorker::Life::ended)
        return violated("Kill after the exit of " + name_of(workers_[*index]));
    apply_kill(*index);
}

void FakeWorld::carry_out(const core::Forget& action) {
    const auto index = subject_of(action.worker, "Forget");
    if (!index) return;
    FakeWorker& worker = workers_[*index];
    const bool is_running = worker.life == FakeWorker::Life::running || worker.life == FakeWorker::Life::main_ended;
    if (is_running && (!worker.killed_at || now_ < *worker.killed_at + core::unkillable_after))
        violated("Forget of the running " + name_of(worker));
    worker.is_forgotten = true;
    worker.accepts = false;
}

void FakeWorld::carry_out(const core::ForgetSpec& action) { check_allowed(specs_.forget(action.spec)); }

void FakeWorld::carry_out(const core::SetAdmission& action) {
    if (action.admission == admission_) violated("SetAdmission to the current value");
    admission_ = action.admission;
}

void FakeWorld::carry_out(const core::Answer& action) {
    for (FakeRequest& ask : requests_) {
        if (!ask.was_asked || ask.id != action.request || ask.id.value == 0) continue;
        if (ask.outcome) return violated("two answers to request " + std::to_string(ask.id.value));
        ask.outcome = action.outcome;
        ask.answered_at = now_;
        --open_requests_;
        const auto* reload = std::get_if<core::Reload>(&ask.request.what);
        if (reload != nullptr && !specs_.is_settled(reload->plan))
            violated("a reload is answered before its plan is adopted or dropped");
        return;
    }
    violated("an answer to the unknown request " + std::to_string(action.request.value));
}

void FakeWorld::carry_out(const core::ManagerReady&) {
    const bool is_back = before_.phase == core::Phase::stopping || before_.phase == core::Phase::scaling;
    if (++manager_ready_ > 1 && !is_back) violated("READY=1 twice to the service manager");
}

void FakeWorld::carry_out(const core::ManagerStopping&) {
    if (before_.phase == core::Phase::stopping) violated("STOPPING=1 twice to the service manager");
}

void FakeWorld::carry_out(const core::Finish& action) { exit_code_ = action.exit_code; }

void FakeWorld::check_nothing_left() {
    for (const FakeWorker& worker : workers_)
        if (!worker.is_forgotten) violated("Finish leaves behind " + name_of(worker));
    for (const FakeRequest& ask : requests_)
        if (ask.was_asked && ask.id.value != 0 && !ask.outcome)
            violated("Finish leaves request " + std::to_string(ask.id.value) + " without an answer");
    if (!specs_.are_all_settled()) violated("Finish leaves a plan that is neither adopted nor dropped");
    for (const Preparation& preparation : preparations_)
        if (preparation.state == Preparation::State::awaited) violated("Finish leaves a preparation behind");
}

}  // namespace holdfast::testing
