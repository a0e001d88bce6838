// The behaviour of the scripted workers of the fake world, by themselves and on stages and signals.

#include <algorithm>

#include "tests/support/fake_world.hpp"

namespace holdfast::testing {

void FakeWorld::start_script(std::size_t index) {
    FakeWorker& worker = workers_[index];
    const WorkerScript& script = worker.script;
    if (script.messaging == Messaging::protocol) plan(index, What::hello, script.hello_after);
    if (script.messaging != Messaging::silent) {
        const Duration first = script.messaging == Messaging::protocol ? script.hello_after : Duration{};
        if (script.ready_after) plan(index, What::ready, std::max(*script.ready_after, first));
        if (script.ready_again_after) plan(index, What::ready, std::max(*script.ready_again_after, first));
        if (script.stops_itself_after) plan(index, What::stopping, std::max(*script.stops_itself_after, first));
        plan_extensions(index, 0);
    }
    if (script.messaging == Messaging::protocol && script.loses_channel_after)
        plan(index, What::channel_lost, std::max(*script.loses_channel_after, script.hello_after));
    if (script.heartbeat_every > Duration{} && script.messaging != Messaging::silent)
        plan(index, What::heartbeat, script.messaging == Messaging::protocol ? script.hello_after : Duration{});
    if (script.triggers_watchdog_after && script.messaging != Messaging::silent)
        plan(index, What::watchdog_trigger, std::max(*script.triggers_watchdog_after, script.hello_after));
    if (script.crashes_after) end_main(index, script.crash, *script.crashes_after, 0);
}

void FakeWorld::end_main(std::size_t index, const ExitStatus& status, Duration after, std::uint32_t epoch) {
    const bool is_wrapped = workers_[index].script.wrapper.has_value();
    plan(index, is_wrapped ? What::main_exited : What::exited, after, epoch, status);
}

void FakeWorld::plan_next_heartbeat(std::size_t index) {
    const FakeWorker& worker = workers_[index];
    const auto& stops = worker.script.stops_heartbeat_after;
    if (!stops || now_ + worker.script.heartbeat_every <= *worker.spawned_at + *stops)
        plan(index, What::heartbeat, worker.script.heartbeat_every);
}

void FakeWorld::plan_extensions(std::size_t index, std::uint32_t epoch) {
    const WorkerScript& script = workers_[index].script;
    for (int count = 1; count <= script.extensions; ++count)
        plan(index, What::extend, script.extends_every * count, epoch);
}

void FakeWorld::apply_stage(std::size_t index, const Command& command) {
    FakeWorker& worker = workers_[index];
    const bool is_new = worker.last_stage != command.stage;
    worker.last_stage = command.stage;
    if (!is_new || worker.life != FakeWorker::Life::running) return;  // the same stage again only moves the deadline
    switch (command.stage) {
        case Stage::lame_duck:
            break;
        case Stage::pause:
            ++worker.epoch;
            if (worker.script.stops_accepting_after)
                plan(index, What::not_accepting, *worker.script.stops_accepting_after, worker.epoch);
            break;
        case Stage::run:
            return run_again(index);
        case Stage::drain:
            return begin_leaving(index);
        case Stage::cancel:
            return cancel(index);
    }
}

void FakeWorld::begin_leaving(std::size_t index) {
    FakeWorker& worker = workers_[index];
    const WorkerScript& script = worker.script;
    const std::uint32_t epoch = ++worker.epoch;
    if (script.messaging != Messaging::silent) {
        plan_extensions(index, epoch);
        if (script.stops_accepting_after) plan(index, What::not_accepting, *script.stops_accepting_after, epoch);
        if (script.releases_after) plan(index, What::releasing, *script.releases_after, epoch);
        const Duration reports_for =
            std::min<Duration>(script.drained_after.value_or(Duration::max()), script.reports_every * 3);
        for (Duration at = script.reports_every; at > Duration{} && at < reports_for; at += script.reports_every)
            plan(index, What::report, at, epoch);
    }
    if (!script.drained_after) return;
    if (script.messaging != Messaging::silent) plan(index, What::drained, *script.drained_after, epoch);
    end_main(index, script.stop_status, *script.drained_after, epoch);
}

void FakeWorld::cancel(std::size_t index) {
    const WorkerScript& script = workers_[index].script;
    const std::uint32_t epoch = ++workers_[index].epoch;
    if (script.messaging != Messaging::silent) plan_extensions(index, epoch);
    if (script.cancelled_after) end_main(index, script.stop_status, *script.cancelled_after, epoch);
}

void FakeWorld::run_again(std::size_t index) {
    FakeWorker& worker = workers_[index];
    worker.stop_signals = worker.cancel_signals = 0;
    if (worker.has_released || !worker.script.accepts_again_after) return;  // it sends nothing and continues to leave
    plan(index, What::accepting, *worker.script.accepts_again_after, ++worker.epoch);
}

void FakeWorld::apply_signal(std::size_t index, int signal) {
    FakeWorker& worker = workers_[index];
    if (worker.life != FakeWorker::Life::running) return;
    if (worker.script.messaging == Messaging::protocol && !worker.hello_at) {
        // The program has not installed its signal handler yet.
        return end_main(index, KilledBy{signal}, {}, 0);
    }
    const bool is_stop =
        signal == policy_.stop_signal && worker.last_stage != Stage::drain && worker.last_stage != Stage::cancel;
    const Stage stage = is_stop ? Stage::drain : Stage::cancel;
    if (worker.last_stage == stage) return;
    worker.last_stage = stage;
    is_stop ? begin_leaving(index) : cancel(index);
}

void FakeWorld::apply_group_signal(std::size_t index, int signal) {
    const FakeWorker& worker = workers_[index];
    if (worker.life == FakeWorker::Life::running) return apply_signal(index, signal);
    if (worker.script.wrapper && worker.script.wrapper->group_handles_signals)
        plan(index, What::exited, {}, 0, worker.script.stop_status);
}

void FakeWorld::apply_kill(std::size_t index) {
    FakeWorker& worker = workers_[index];
    if (worker.killed_at) return;
    worker.killed_at = now_;
    ++worker.epoch;
    // A launch that is killed exits when its process is created. Messages sent before the kill are still delivered.
    if (worker.life == FakeWorker::Life::launching) return;
    const bool is_first = worker.script.wrapper && worker.life == FakeWorker::Life::running;
    if (is_first) plan(index, What::main_exited, {}, 0, KilledBy{9});
    if (worker.script.dies_after_kill) plan(index, What::exited, *worker.script.dies_after_kill, 0, KilledBy{9});
}

}  // namespace holdfast::testing
