#include "tests/simulator/random_inputs.hpp"

namespace holdfast::simulator {

using namespace std::chrono_literals;
using testing::Launch;
using testing::Messaging;
using testing::WorkerScript;

namespace {

core::ReadyWhen random_readiness(Random& random) {
    const int draw = random.below(100);
    if (draw < 60) return core::ReadyAuto{};
    if (draw < 78) return core::ReadyNotify{};
    if (draw < 88)
        return core::ReadyProbe{core::ReadyProbe::How::http, core::ReadyProbe::Where::private_listener, "", "/"};
    return core::ReadyAlive{random.pick<Duration>({100ms, 700ms, 1500ms})};
}

Messaging random_messaging(Random& random, ProtocolMix protocol_mix) {
    switch (protocol_mix) {
        case ProtocolMix::protocol:
            return Messaging::protocol;
        case ProtocolMix::notify:
            return Messaging::notify;
        case ProtocolMix::silent:
            return Messaging::silent;
        case ProtocolMix::mixed:
            break;
    }
    return random.pick({Messaging::protocol, Messaging::protocol, Messaging::notify, Messaging::silent});
}

StageSet random_stages(Random& random) {
    StageSet stages;
    for (const Stage stage : {Stage::run, Stage::lame_duck, Stage::pause, Stage::drain, Stage::cancel})
        if (random.percent(70)) stages.add(stage);
    return stages;
}

void randomize_launch(Random& random, WorkerScript& script) {
    const int draw = random.below(100);
    if (draw < 5) {
        script.launch = Launch::fails;
        script.launch_error = random.pick({2, 13, 11, 12, 24});  // ENOENT, EACCES; EAGAIN, ENOMEM, EMFILE
    }
    if (draw == 5 || draw == 6) script.launch = Launch::hangs;
    if (random.percent(20)) script.launch_takes = random.any_up_to(3s);
}

void randomize_readiness(Random& random, const core::Policy& policy, WorkerScript& script) {
    const int draw = random.below(100);
    if (draw < 6) script.ready_after.reset();
    if (draw >= 6 && draw < 14) script.ready_after = random.up_to(policy.ready_timeout * 5 / 4);
    if (random.percent(10)) script.hello_after = random.any_up_to(3s);
    if (random.percent(10)) script.stages = random_stages(random);
    if (random.percent(8)) script.ready_again_after = random.any_up_to(30s);
    if (random.percent(14)) script.crashes_after = random.any_up_to(30s);
    if (random.percent(20)) script.crash = ExitedWith{0};
    if (random.percent(20)) script.crash = KilledBy{11, true};
    if (random.percent(5)) script.stops_itself_after = random.any_up_to(30s);
    if (random.percent(5)) script.loses_channel_after = random.any_up_to(30s);
}

// Probes, listener checks and heartbeats.
void randomize_probes(Random& random, WorkerScript& script) {
    if (random.percent(15)) script.probe_takes = random.up_to(1100ms);
    if (random.percent(12)) script.fails_probes_after = random.any_up_to(30s);
    if (random.percent(8)) script.fails_probes_for = random.up_to(2s);
    const int draw = random.below(100);
    if (draw < 5) script.claim = core::ListenerClaim::missing;
    if (draw >= 5 && draw < 10) script.claim = core::ListenerClaim::not_known;
    if (random.percent(15)) script.claim_takes = random.any_up_to(3s);
    if (random.percent(12)) script.stops_heartbeat_after = random.any_up_to(30s);
    if (random.percent(3)) script.triggers_watchdog_after = random.any_up_to(30s);
}

testing::Wrapper random_wrapper(Random& random) {
    using Seen = testing::Wrapper::Seen;
    testing::Wrapper wrapper{random.pick<Duration>({0s, 300ms, 1h}), random.percent(60), random.below(2)};
    if (random.percent(25)) wrapper.seen = random.percent(70) ? Seen::late : Seen::never;
    return wrapper;
}

void randomize_exit(Random& random, const core::Policy& policy, WorkerScript& script) {
    const int draw = random.below(100);
    if (draw < 12) script.drained_after.reset();
    if (draw >= 12 && draw < 30) script.drained_after = random.up_to(policy.grace_period + policy.cancel_period * 2);
    if (random.percent(15)) script.cancelled_after.reset();
    if (random.percent(15)) script.cancelled_after = random.up_to(policy.cancel_period * 2);
    if (random.percent(15)) script.stops_accepting_after = random.up_to(policy.grace_period * 2);
    if (random.percent(8)) script.stops_accepting_after.reset();
    if (random.percent(12)) script.accepts_again_after.reset();
    if (random.percent(12)) script.accepts_again_after = random.any_up_to(3s);
    if (random.percent(15)) script.stop_status = KilledBy{15};
    if (random.percent(4)) script.dies_after_kill = random.up_to(14s);
    if (random.percent(1)) script.dies_after_kill.reset();
    if (random.percent(14)) script.wrapper = random_wrapper(random);
}

// The worker does nothing until it is killed, and survives SIGKILL for a while (as in state D). Only then does it send
// the events that other workers send in time.
void act_only_after_kill(Random& random, const core::Policy& policy, WorkerScript& script) {
    const Duration killed_after = policy.ready_timeout + policy.grace_period + policy.cancel_period;
    const Duration late = killed_after + random.up_to(6s);
    script.ready_after.reset();
    script.drained_after.reset();
    script.cancelled_after.reset();
    script.dies_after_kill = 7s + random.up_to(6s);
    switch (random.below(4)) {
        case 0:
            script.ready_after = late;
            break;
        case 1:
            script.stops_itself_after = late;
            break;
        case 2:
            script.loses_channel_after = late;
            break;
        default:
            script.launch = Launch::fails;
            script.launch_takes = late;
    }
}

}  // namespace

void fail_to_start(Random& random, WorkerScript& script) {
    if (random.percent(60)) {
        script.launch = Launch::fails;
    } else {
        script.ready_after.reset();
    }
}

void crash_after_probation(Random& random, const core::Policy& policy, WorkerScript& script) {
    if (random.percent(50)) script.crashes_after = policy.settle + policy.probation + random.up_to(5s);
}

core::Policy random_policy(Random& random) {
    core::Policy policy;
    policy.workers = random.percent(90) ? 1 + random.below(4) : 5 + random.below(4);
    policy.ready_when = random_readiness(random);
    policy.ready_timeout = random.pick<Duration>({2s, 5s, 20s});
    policy.settle = random.pick<Duration>({0s, 200ms, 1s, 1s});
    policy.max_surge =
        random.pick<core::Share>({{100, true}, {100, true}, {0, false}, {1, false}, {2, false}, {50, true}});
    policy.max_unavailable = random.pick<core::Share>({{0, false}, {0, false}, {1, false}, {25, true}, {2, false}});
    policy.lame_duck = random.pick<Duration>({0s, 500ms, 3s, 3s});
    policy.grace_period = random.pick<Duration>({700ms, 3s, 10s});
    policy.cancel_period = random.pick<Duration>({300ms, 1500ms, 4s});
    policy.max_extension = random.pick<Duration>({0s, 0s, 1s, 6s});
    policy.max_pause = random.pick<Duration>({2s, 15s, 1min});
    policy.backoff_min = random.pick<Duration>({100ms, 500ms});
    policy.backoff_max = random.pick<Duration>({2s, 30s});
    policy.cancel_signal = random.pick({0, 0, 2, 15});
    policy.probation = random.pick<Duration>({0s, 0s, 0s, 2s, 6s});
    policy.queue_for = random.pick<Duration>({0s, 1s, 10s});
    policy.watchdog = random.percent(15) ? random.pick<Duration>({2s, 6s}) : Duration{};
    return policy;
}

ProtocolMix random_protocol_mix(Random& random, const core::Policy& policy) {
    const int draw = random.below(100);
    if (draw < 55) return ProtocolMix::protocol;
    if (draw < 72) return ProtocolMix::notify;
    // With ready-when notify, a silent service never becomes ready: generated only rarely.
    const bool may_be_silent = !std::holds_alternative<core::ReadyNotify>(policy.ready_when) || random.percent(5);
    if (!may_be_silent) return ProtocolMix::protocol;
    return draw < 85 ? ProtocolMix::silent : ProtocolMix::mixed;
}

WorkerScript random_script(Random& random, const core::Policy& policy, ProtocolMix protocol_mix, Behaviour behaviour) {
    WorkerScript script;
    script.messaging = random_messaging(random, protocol_mix);
    script.launch_takes = random.any_up_to(20ms);
    script.hello_after = random.any_up_to(100ms);
    script.ready_after = random.any_up_to(policy.ready_timeout / 4);
    script.stops_accepting_after = random.any_up_to(50ms);
    script.drained_after = random.any_up_to(policy.grace_period / 2);
    script.cancelled_after = random.any_up_to(policy.cancel_period / 2);
    script.accepts_again_after = random.any_up_to(20ms);
    if (random.percent(40)) script.releases_after = random.up_to(*script.drained_after);
    if (random.percent(20)) script.reports_every = 100ms + random.up_to(2s);
    if (policy.watchdog > Duration{} && random.percent(80)) script.heartbeat_every = policy.watchdog / 2;
    script.claim_takes = random.any_up_to(20ms);
    script.probe_takes = random.any_up_to(20ms);
    if (behaviour == Behaviour::well_behaved) return script;
    randomize_launch(random, script);
    randomize_readiness(random, policy, script);
    randomize_probes(random, script);
    randomize_exit(random, policy, script);
    if (random.percent(1)) act_only_after_kill(random, policy, script);
    if (random.percent(12)) {
        script.extensions = 1 + random.below(4);
        script.extends_every = random.up_to(policy.grace_period);
        script.extends_by = random.up_to(5s);
    }
    return script;
}

testing::PreparationScript random_preparation(Random& random, Behaviour behaviour) {
    using Result = testing::PreparationScript::Result;
    testing::PreparationScript script;
    script.takes = random.any_up_to(50ms);
    if (behaviour == Behaviour::well_behaved) return script;
    const int draw = random.below(100);
    if (draw < 10) script.result = Result::fails;
    if (draw >= 10 && draw < 13) script.result = Result::never;
    if (random.percent(25)) script.takes = random.up_to(8s);
    return script;
}

Incident random_disturbance(Random& random) {
    Incident incident;
    using What = Incident::What;
    incident.what = random.pick({What::tick, What::tick, What::late_word, What::late_preparation, What::stall});
    if (incident.what == What::stall) incident.length = random.any_up_to(20s);
    return incident;
}

// A reload that changes some settings, and possibly the listeners.
void randomize_reload(Random& random, const core::Policy& policy, Incident& incident) {
    const core::Policy other = random_policy(random);
    incident.what = Incident::What::reload;
    incident.policy = policy;
    incident.workers = random.percent(60) ? core::Reload::Workers::replace : core::Reload::Workers::keep;
    if (random.percent(30)) incident.policy.workers = std::min(other.workers, policy.workers + 2);
    if (random.percent(40)) incident.policy.grace_period = other.grace_period;
    if (random.percent(40)) incident.policy.settle = other.settle;
    if (random.percent(40)) incident.policy.cancel_period = other.cancel_period;
    if (random.percent(30)) incident.policy.max_surge = other.max_surge;
    if (random.percent(30)) incident.policy.probation = other.probation;
    if (random.percent(30)) incident.policy.ready_timeout = other.ready_timeout;
    if (incident.workers == core::Reload::Workers::replace) incident.listeners = 1 + random.below(7);
}

Incident random_change(Random& random, const core::Policy& policy) {
    Incident incident;
    const int draw = random.below(100);
    if (draw < 30) randomize_reload(random, policy, incident);
    if (draw >= 30 && draw < 50) incident.what = Incident::What::rollback;
    return incident;
}

Incident random_request(Random& random, const core::Policy& policy, RequestPhase request_phase) {
    using What = Incident::What;
    Incident incident;
    incident.asker = random.percent(20) ? testing::Asker::signal : testing::Asker::waits;
    const int draw = request_phase == RequestPhase::stopping ? random.below(40) : random.below(100);
    if (request_phase == RequestPhase::stopping && draw >= 23 && draw < 28) {
        incident.what = What::undo;
    } else if (draw < 4 || (request_phase == RequestPhase::stopping && draw < 28)) {
        incident.what = random.percent(30) ? What::quit : What::stop;
    } else if (draw < 40) {
        incident.what = What::restart;
    } else if (draw < 50) {
        incident.what = What::undo;
    } else if (draw < 57) {
        incident.what = What::rollback;
    } else if (draw < 67) {
        randomize_reload(random, policy, incident);
    } else if (draw < 76) {
        incident.what = What::scale;
        incident.number = random.percent(8) ? 0 : 1 + random.below(policy.workers + 2);
    } else if (draw < 84) {
        incident.what = What::scale_by;
        incident.number = random.percent(50) ? 1 : -1;
    } else {
        incident.what = draw < 92 ? What::pause : What::resume;
    }
    return incident;
}

Duration random_pause(Random& random, RequestPhase request_phase) {
    if (request_phase == RequestPhase::stopping) return random.up_to(2500ms);
    return random.percent(25) ? random.any_up_to(1s) : random.up_to(20s);
}

}  // namespace holdfast::simulator
