#include "core/lives.hpp"

#include <cerrno>
#include <system_error>

#include "base/inventory.hpp"
#include "core/crashes.hpp"
#include "core/first_generation.hpp"
#include "core/ladder.hpp"
#include "core/rollout.hpp"
#include "core/voice.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

Worker* find(State& state, WorkerId id) {
    const auto found = state.workers.find(id);
    return found == state.workers.end() ? nullptr : &found->second;
}

// Nothing more will be done with it.
void forget(Turn& turn, const Worker& worker) {
    const WorkerId id = worker.id;
    turn.add(Forget{id});
    turn.state.workers.erase(id);
}

// It leaves without having been asked to.
void set_reason(Worker& worker, Reason reason, const std::string& why) {
    worker.reason = reason;
    worker.why = why;
    worker.recalled = false;
}

void describe_end(Turn& turn, const Worker& worker, const ExitStatus& status,
                  const std::vector<std::string>& last_words) {
    std::string text = describe(status);
    if (worker.reason) {
        text += ", " + seconds(turn.now - worker.since) + " into " + std::string(to_string(worker.state)) + " (" +
                worker.why + ")";
    }
    if (worker.handed_back.value_or(0) > 0) text += "; handed back " + count_of("work", *worker.handed_back);
    // A worker of the SDK tells by its status that it could not release everything in time.
    const auto* exited = std::get_if<ExitedWith>(&status);
    const bool unclean = worker.reason && worker.speaks == Speaks::protocol && exited != nullptr && exited->code != 0;
    if (unclean) {
        if (const std::string left = inventory_of(worker); !left.empty()) text += "; it still held " + left;
        text += quote_last(last_words);
    }
    turn.note(unclean ? Level::warning : Level::info, "worker_gone", worker, text);
}

void end_launch(Turn& turn, Worker& worker, const std::string& stage, int error_number) {
    std::string what = "cannot " + stage;
    if (error_number != 0) what += ": " + std::generic_category().message(error_number);
    const bool unasked = !is_leaving(worker);
    // Of one that was told to leave meanwhile nobody needs to know.
    turn.note(unasked ? Level::error : Level::debug, "spawn_failed", worker, what);
    const Worker last = worker;
    apply(turn, worker, Trigger::launch_failed);
    forget(turn, worker);
    if (!unasked) return;
    count_crash(turn, last, what, {});
    fail_first_generation_at_launch(turn, what, error_number);
}

void on_ready_timeout(Turn& turn, Worker& worker) {
    const std::string what = "did not get ready within " + seconds(turn.now - worker.since);
    turn.note(Level::warning, "worker_crashed", worker, what);
    set_reason(worker, Reason::unhealthy, what);
    count_crash(turn, worker, what, {});
}

void report_unkillable(Turn& turn, Worker& worker) {
    State& state = turn.state;
    turn.note(Level::error, "worker_unkillable", worker,
              "will not die: killed " + seconds(turn.now - worker.since) + " ago and still there; it is left behind");
    if (state.ending && state.ending->cause == Ending::Cause::stop) state.ending->exit_code = 3;
    forget(turn, worker);
}

}  // namespace

void begin_life(Turn& turn, Worker& worker) {
    worker.launch = Launch::done;
    worker.spawned_at = turn.now;
    catch_up(turn, worker);
}

void on_spawned(Turn& turn, const Spawned& event) {
    Worker* worker = find(turn.state, event.worker);
    if (worker == nullptr) return;
    worker->pid = event.pid;
    turn.note(Level::info, "worker_spawned", *worker, "runs as pid " + std::to_string(event.pid));
    if (worker->launch == Launch::pending) begin_life(turn, *worker);
}

void on_spawn_failed(Turn& turn, const SpawnFailed& event) {
    Worker* worker = find(turn.state, event.worker);
    if (worker == nullptr || worker->launch == Launch::done) return;
    end_launch(turn, *worker, event.stage, event.error_number);
}

void on_channel_lost(Turn& turn, const ChannelLost& event) {
    Worker* worker = find(turn.state, event.worker);
    if (worker == nullptr || worker->channel == Channel::lost) return;
    lose_channel(turn, *worker);
}

void on_main_exited(Turn& turn, const MainExited& event) {
    Worker* worker = find(turn.state, event.worker);
    if (worker == nullptr || worker->main_exited) return;
    worker->main_exited = true;
    worker->strays = event.strays;
    worker->recalled = false;
    const std::string what = "lost its main process, which " + describe(event.status) + "; " +
                             std::to_string(event.left_in_group + event.strays) + " of its descendants live on";
    turn.note(Level::warning, "worker_main_exited", *worker, what);
    if (!is_leaving(*worker)) {
        set_reason(*worker, Reason::unhealthy, "it " + what);
        count_crash(turn, *worker, what, {});
    }
    const WorkerState before = worker->state;
    apply(turn, *worker, Trigger::main_exited);
    if (worker->state == before) signal_stage(turn, *worker);
}

void on_exited(Turn& turn, const Exited& event) {
    Worker* worker = find(turn.state, event.worker);
    if (worker == nullptr) return;
    const std::string what = describe(event.status);
    const bool unasked = !is_leaving(*worker);
    if (unasked) {
        turn.note(Level::warning, "worker_crashed", *worker,
                  what + " without being asked to" + quote_last(event.last_words));
    }
    describe_end(turn, *worker, event.status, event.last_words);
    const Worker last = *worker;
    apply(turn, *worker, Trigger::exited);
    forget(turn, *worker);
    if (unasked) return count_crash(turn, last, what, event.last_words);
    keep_last_words(turn.state, last, event.last_words);
}

void on_worker_deadline(Turn& turn, WorkerId id) {
    Worker* worker = find(turn.state, id);
    if (worker == nullptr) return;
    if (worker->state == WorkerState::starting && worker->launch == Launch::pending) {
        return end_launch(turn, *worker, "launch", ETIMEDOUT);
    }
    if (worker->state == WorkerState::starting) on_ready_timeout(turn, *worker);
    if (worker->state == WorkerState::paused) set_reason(*worker, Reason::recycle, "it was paused for too long");
    const bool was_killed = worker->state == WorkerState::killed;
    apply(turn, *worker, Trigger::deadline_passed);
    if (was_killed) report_unkillable(turn, *worker);
}

}  // namespace holdfast::core
