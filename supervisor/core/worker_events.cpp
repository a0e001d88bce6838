#include "core/worker_events.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/held_work.hpp"
#include "core/crashes.hpp"
#include "core/describe/hints.hpp"
#include "core/describe/text.hpp"
#include "core/first_generation.hpp"
#include "core/probing.hpp"
#include "core/rollout.hpp"
#include "core/stage_delivery.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

Worker* find(State& state, WorkerId id) {
    const auto found = state.workers.find(id);
    return found == state.workers.end() ? nullptr : &found->second;
}

// Erases the worker; the reference is invalid afterwards.
void forget(StepContext& context, const Worker& worker) {
    const WorkerId id = worker.id;
    context.add(Forget{id});
    context.state.workers.erase(id);
}

// Sets the reason of a worker that leaves without a request.
void set_leave_reason(Worker& worker, Reason reason, const std::string& why) {
    worker.reason = reason;
    worker.why = why;
    worker.recalled = false;
}

void note_exit(StepContext& context, const Worker& worker, const Exited& event) {
    std::string text = describe_exit(event.status, event.killed_by);
    if (worker.reason) {
        text += ", " + seconds(context.now - worker.since) + " into " + std::string(to_string(worker.state)) + " (" +
                worker.why + ")";
    }
    if (worker.handed_back.value_or(0) > 0) text += "; handed back " + count_of("work", *worker.handed_back);
    if (worker.lost.value_or(0) > 0) text += "; lost " + count_of("work", *worker.lost);
    // An SDK worker exits with a non-zero status if it could not release everything in time.
    const auto* exited = std::get_if<ExitedWith>(&event.status);
    const bool unclean = worker.reason && worker.speaks == Speaks::protocol && exited != nullptr && exited->code != 0;
    if (unclean) {
        if (const std::string left = held_work_of(worker); !left.empty()) text += "; it still held " + left;
        text += quote_last(event.last_words);
    }
    context.record(worker.generation, "worker_exited", text, name_of(worker));
    context.note(unclean ? Level::warning : Level::info, "worker_gone", worker, text);
}

void note_crash(StepContext& context, const Worker& worker, const Crash& crash) {
    std::string text = crash.what + " without being asked to" + quote_last(crash.last_words);
    if (!crash.hint.empty()) text += "; " + crash.hint;
    context.note(Level::warning, "worker_crashed", worker, text);
}

void fail_launch(StepContext& context, Worker& worker, const std::string& stage, int error_number) {
    Crash crash{"cannot " + stage, {}, hint_for_launch(stage, error_number)};
    if (error_number != 0) crash.what += ": " + std::generic_category().message(error_number);
    const std::string what = describe(crash);
    const bool unasked = !is_leaving(worker);
    // If the worker was asked to leave during its launch, the failure has no consequence.
    context.note(unasked ? Level::error : Level::debug, "spawn_failed", worker, what);
    const Worker last = worker;
    apply(context, worker, Trigger::launch_failed);
    forget(context, worker);
    if (!unasked) return;
    count_crash(context, last, crash);
    fail_first_generation_at_launch(context, what, error_number);
}

void on_ready_timeout(StepContext& context, Worker& worker) {
    const std::string what =
        "did not get ready within " + seconds(context.now - worker.since) + probe_failure_text(worker);
    context.note(Level::warning, "worker_crashed", worker, what);
    set_leave_reason(worker, Reason::unhealthy, what);
    count_crash(context, worker, {what, {}, {}});
}

std::string why_pause_ended(const Worker& worker) {
    return worker.recalled ? "it was told to accept again and did not confirm" : "it was paused for too long";
}

void report_unkillable(StepContext& context, Worker& worker) {
    State& state = context.state;
    const std::string why = worker.not_seen.empty() ? "process in state D?" : "it cannot be seen: " + worker.not_seen;
    context.note(Level::error, "worker_unkillable", worker,
                 "still exists " + seconds(context.now - worker.since) + " after SIGKILL (" + why + "); abandoned");
    context.record(worker.generation, "worker_killed", "still exists after SIGKILL; abandoned", name_of(worker));
    if (state.shutdown && state.shutdown->cause == Shutdown::Cause::stop) state.shutdown->exit_code = 3;
    forget(context, worker);
}

// Processes that cannot be seen may be strays as well: they are sent the signals of the stages.
void note_processes(Worker& worker, int strays, const std::string& not_seen) {
    worker.strays = not_seen.empty() ? strays : std::max(strays, 1);
    worker.not_seen = not_seen;
}

}  // namespace

void mark_launched(StepContext& context, Worker& worker) {
    worker.launch = Launch::done;
    worker.spawned_at = context.now;
    deliver_pending_stage(context, worker);
}

void on_spawned(StepContext& context, const Spawned& event) {
    Worker* worker = find(context.state, event.worker);
    if (worker == nullptr) return;
    worker->pid = event.pid;
    context.note(Level::info, "worker_spawned", *worker, "runs as pid " + std::to_string(event.pid));
    if (worker->launch == Launch::pending) mark_launched(context, *worker);
}

void on_spawn_failed(StepContext& context, const SpawnFailed& event) {
    Worker* worker = find(context.state, event.worker);
    if (worker == nullptr || worker->launch == Launch::done) return;
    fail_launch(context, *worker, event.stage, event.error_number);
}

void on_channel_lost(StepContext& context, const ChannelLost& event) {
    Worker* worker = find(context.state, event.worker);
    if (worker == nullptr || worker->channel == Channel::lost) return;
    lose_channel(context, *worker);
}

void on_main_exited(StepContext& context, const MainExited& event) {
    Worker* worker = find(context.state, event.worker);
    if (worker == nullptr || worker->main_exited) return;
    worker->main_exited = true;
    worker->recalled = false;
    note_processes(*worker, event.strays, event.not_seen);
    Crash crash{"lost its main process, which " + describe(event.status) + "; " +
                    std::to_string(event.left_in_group + event.strays) + " of its descendants still run",
                {},
                hint_for_main_exit(event.status, worker->state)};
    if (!event.not_seen.empty()) crash.what += ", and it is not known whether there are more: " + event.not_seen;
    context.note(Level::warning, "worker_main_exited", *worker, describe(crash));
    if (!is_leaving(*worker)) {
        set_leave_reason(*worker, Reason::unhealthy, "it " + crash.what);
        count_crash(context, *worker, crash);
    }
    const WorkerState before = worker->state;
    apply(context, *worker, Trigger::main_exited);
    if (worker->state == before) signal_stage(context, *worker);
}

void on_looked_again(StepContext& context, const LookedAgain& event) {
    Worker* worker = find(context.state, event.worker);
    if (worker == nullptr || !worker->main_exited) return;
    note_processes(*worker, event.strays, event.not_seen);
    if (event.not_seen.empty() && event.strays > 0) signal_late_strays(context, *worker);
}

void on_exited(StepContext& context, const Exited& event) {
    Worker* worker = find(context.state, event.worker);
    if (worker == nullptr) return;
    const bool unasked = !is_leaving(*worker);
    const Crash crash{describe_exit(event.status, event.killed_by), event.last_words,
                      hint_for_last_words(event.last_words, event.listeners)};
    if (unasked) note_crash(context, *worker, crash);
    note_exit(context, *worker, event);
    const Worker last = *worker;
    apply(context, *worker, Trigger::exited);
    forget(context, *worker);
    if (unasked) return count_crash(context, last, crash);
    complete_last_words(context.state, last, event.last_words);
    keep_last_words(context.state, last, event.last_words);
}

void on_worker_deadline(StepContext& context, WorkerId id) {
    Worker* worker = find(context.state, id);
    if (worker == nullptr) return;
    if (worker->state == WorkerState::starting && worker->launch == Launch::pending) {
        return fail_launch(context, *worker, "launch", ETIMEDOUT);
    }
    if (worker->state == WorkerState::starting) on_ready_timeout(context, *worker);
    if (worker->state == WorkerState::paused) set_leave_reason(*worker, Reason::recycle, why_pause_ended(*worker));
    const bool was_killed = worker->state == WorkerState::killed;
    apply(context, *worker, Trigger::deadline_passed);
    if (was_killed) report_unkillable(context, *worker);
}

}  // namespace holdfast::core
