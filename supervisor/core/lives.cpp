#include "core/lives.hpp"

#include <cerrno>
#include <system_error>

#include "base/inventory.hpp"
#include "core/crashes.hpp"
#include "core/first_generation.hpp"
#include "core/hints.hpp"
#include "core/ladder.hpp"
#include "core/probing.hpp"
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

void describe_end(Turn& turn, const Worker& worker, const Exited& event) {
    std::string text = describe_exit(event.status, event.killed_by);
    if (worker.reason) {
        text += ", " + seconds(turn.now - worker.since) + " into " + std::string(to_string(worker.state)) + " (" +
                worker.why + ")";
    }
    if (worker.handed_back.value_or(0) > 0) text += "; handed back " + count_of("work", *worker.handed_back);
    // A worker of the SDK tells by its status that it could not release everything in time.
    const auto* exited = std::get_if<ExitedWith>(&event.status);
    const bool unclean = worker.reason && worker.speaks == Speaks::protocol && exited != nullptr && exited->code != 0;
    if (unclean) {
        if (const std::string left = inventory_of(worker); !left.empty()) text += "; it still held " + left;
        text += quote_last(event.last_words);
    }
    turn.record(worker.generation, "worker_exited", text, name_of(worker));
    turn.note(unclean ? Level::warning : Level::info, "worker_gone", worker, text);
}

void say_that_it_crashed(Turn& turn, const Worker& worker, const Crash& crash) {
    std::string text = crash.what + " without being asked to" + quote_last(crash.last_words);
    if (!crash.hint.empty()) text += "; " + crash.hint;
    turn.note(Level::warning, "worker_crashed", worker, text);
}

void end_launch(Turn& turn, Worker& worker, const std::string& stage, int error_number) {
    Crash crash{"cannot " + stage, {}, hint_for_launch(stage, error_number)};
    if (error_number != 0) crash.what += ": " + std::generic_category().message(error_number);
    const std::string what = describe(crash);
    const bool unasked = !is_leaving(worker);
    // Of one that was told to leave meanwhile nobody needs to know.
    turn.note(unasked ? Level::error : Level::debug, "spawn_failed", worker, what);
    const Worker last = worker;
    apply(turn, worker, Trigger::launch_failed);
    forget(turn, worker);
    if (!unasked) return;
    count_crash(turn, last, crash);
    fail_first_generation_at_launch(turn, what, error_number);
}

void on_ready_timeout(Turn& turn, Worker& worker) {
    const std::string what = "did not get ready within " + seconds(turn.now - worker.since) + probe_words(worker);
    turn.note(Level::warning, "worker_crashed", worker, what);
    set_reason(worker, Reason::unhealthy, what);
    count_crash(turn, worker, {what, {}, {}});
}

std::string why_paused_no_longer(const Worker& worker) {
    return worker.recalled ? "it was told to run again and did not say that it accepts" : "it was paused for too long";
}

void report_unkillable(Turn& turn, Worker& worker) {
    State& state = turn.state;
    turn.note(Level::error, "worker_unkillable", worker,
              "will not die: killed " + seconds(turn.now - worker.since) + " ago and still there; it is left behind");
    turn.record(worker.generation, "worker_killed", "it does not die of it and is left behind", name_of(worker));
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
    const Crash crash{"lost its main process, which " + describe(event.status) + "; " +
                          std::to_string(event.left_in_group + event.strays) + " of its descendants live on",
                      {},
                      hint_for_main_exit(event.status, worker->state)};
    turn.note(Level::warning, "worker_main_exited", *worker, describe(crash));
    if (!is_leaving(*worker)) {
        set_reason(*worker, Reason::unhealthy, "it " + crash.what);
        count_crash(turn, *worker, crash);
    }
    const WorkerState before = worker->state;
    apply(turn, *worker, Trigger::main_exited);
    if (worker->state == before) signal_stage(turn, *worker);
}

void on_exited(Turn& turn, const Exited& event) {
    Worker* worker = find(turn.state, event.worker);
    if (worker == nullptr) return;
    const bool unasked = !is_leaving(*worker);
    const Crash crash{describe_exit(event.status, event.killed_by), event.last_words,
                      hint_for_last_words(event.last_words, event.listeners)};
    if (unasked) say_that_it_crashed(turn, *worker, crash);
    describe_end(turn, *worker, event);
    const Worker last = *worker;
    apply(turn, *worker, Trigger::exited);
    forget(turn, *worker);
    if (unasked) return count_crash(turn, last, crash);
    complete_last_words(turn.state, last, event.last_words);
    keep_last_words(turn.state, last, event.last_words);
}

void on_worker_deadline(Turn& turn, WorkerId id) {
    Worker* worker = find(turn.state, id);
    if (worker == nullptr) return;
    if (worker->state == WorkerState::starting && worker->launch == Launch::pending) {
        return end_launch(turn, *worker, "launch", ETIMEDOUT);
    }
    if (worker->state == WorkerState::starting) on_ready_timeout(turn, *worker);
    if (worker->state == WorkerState::paused) set_reason(*worker, Reason::recycle, why_paused_no_longer(*worker));
    const bool was_killed = worker->state == WorkerState::killed;
    apply(turn, *worker, Trigger::deadline_passed);
    if (was_killed) report_unkillable(turn, *worker);
}

}  // namespace holdfast::core
