#pragma once

#include "tests/simulator/story.hpp"

namespace holdfast::simulator {

// Visits all fields of a part of a story: `visit(name, field)`. Used to write, read and minimise stories.

template <class Visit>
void each_field(core::Policy& it, Visit&& visit) {
    visit("workers", it.workers);
    visit("ready_when", it.ready_when);
    visit("ready_timeout", it.ready_timeout);
    visit("settle", it.settle);
    visit("probation", it.probation);
    visit("min_ready", it.min_ready);
    visit("max_surge", it.max_surge);
    visit("max_unavailable", it.max_unavailable);
    visit("lame_duck", it.lame_duck);
    visit("grace_period", it.grace_period);
    visit("cancel_period", it.cancel_period);
    visit("max_extension", it.max_extension);
    visit("max_pause", it.max_pause);
    visit("backoff_min", it.backoff_min);
    visit("backoff_max", it.backoff_max);
    visit("watchdog", it.watchdog);
    visit("queue_for", it.queue_for);
    visit("cancel_signal", it.cancel_signal);
}

template <class Visit>
void each_field(testing::WorkerScript& it, Visit&& visit) {
    visit("launch", it.launch);
    visit("launch_takes", it.launch_takes);
    visit("launch_error", it.launch_error);
    visit("messaging", it.messaging);
    visit("stages", it.stages);
    visit("hello_after", it.hello_after);
    visit("ready_after", it.ready_after);
    visit("ready_again_after", it.ready_again_after);
    visit("crashes_after", it.crashes_after);
    visit("crash", it.crash);
    visit("stops_itself_after", it.stops_itself_after);
    visit("loses_channel_after", it.loses_channel_after);
    visit("stops_accepting_after", it.stops_accepting_after);
    visit("releases_after", it.releases_after);
    visit("drained_after", it.drained_after);
    visit("cancelled_after", it.cancelled_after);
    visit("accepts_again_after", it.accepts_again_after);
    visit("stop_status", it.stop_status);
    visit("reports_every", it.reports_every);
    visit("probe_takes", it.probe_takes);
    visit("fails_probes_after", it.fails_probes_after);
    visit("fails_probes_for", it.fails_probes_for);
    visit("claim", it.claim);
    visit("claim_takes", it.claim_takes);
    visit("heartbeat_every", it.heartbeat_every);
    visit("stops_heartbeat_after", it.stops_heartbeat_after);
    visit("triggers_watchdog_after", it.triggers_watchdog_after);
    visit("extensions", it.extensions);
    visit("extends_every", it.extends_every);
    visit("extends_by", it.extends_by);
    visit("wrapper", it.wrapper);
    visit("dies_after_kill", it.dies_after_kill);
}

template <class Visit>
void each_field(testing::PreparationScript& it, Visit&& visit) {
    visit("result", it.result);
    visit("takes", it.takes);
}

// Without the policy of a reload, which has its own each_field().
template <class Visit>
void each_field(Incident& it, Visit&& visit) {
    visit("what", it.what);
    visit("at", it.at);
    visit("asker", it.asker);
    visit("number", it.number);
    visit("length", it.length);
    visit("listeners", it.listeners);
    visit("replace", it.workers);
}

}  // namespace holdfast::simulator
