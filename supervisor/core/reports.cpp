#include "core/crashes.hpp"
#include "core/ladder.hpp"
#include "core/lives.hpp"
#include "core/readiness.hpp"
#include "core/voice.hpp"
#include "core/watchdog.hpp"

namespace holdfast::core {
namespace {

// Whose time is over hears the next stage in a moment, and not the one before.
void remind(Turn& turn, const Worker& worker) {
    if (worker.deadline > turn.now) tell_stage(turn, worker);
}

void take_hello(Turn& turn, Worker& worker, const Report& report) {
    worker.speaks = Speaks::protocol;
    turn.state.anybody_spoke = true;
    if (report.stages) worker.stages = *report.stages;
    if (worker.channel == Channel::no_hello) worker.channel = Channel::open;
    if (!worker.recalled) remind(turn, worker);
}

// Who leaves for good is not taken back. Before it has released anything it may still obey the `run` that it was told,
// and accept for nobody: it hears its stage again.
void withdraw_recall(Turn& turn, Worker& worker) {
    const bool too_late = worker.releasing || worker.drained;
    if (!worker.recalled || !(worker.stopping || too_late)) return;
    worker.recalled = false;
    if (!too_late) remind(turn, worker);
}

void take_facts(Turn& turn, Worker& worker, const Report& report) {
    if (report.status) worker.text = *report.status;
    if (report.accepting) worker.accepting = report.accepting;
    if (report.served) worker.served = report.served;
    if (report.in_flight) {
        if (worker.in_flight && *report.in_flight < *worker.in_flight) turn.state.manager.progress = true;
        worker.in_flight = report.in_flight;
    }
    if (report.handed_back) worker.handed_back = report.handed_back;
    if (report.waiting) {
        worker.waiting = report.waiting;
        worker.held = report.held;
        worker.reported_at = turn.now;
    }
    worker.stopping = worker.stopping || report.stopping;
    worker.releasing = worker.releasing || report.releasing;
    if (report.drained && !worker.drained_at) worker.drained_at = turn.now;
    worker.drained = worker.drained || report.drained;
    withdraw_recall(turn, worker);
}

void take_ready(Turn& turn, Worker& worker) {
    if (worker.speaks == Speaks::nothing) worker.speaks = Speaks::notify;
    turn.state.anybody_spoke = true;
    const ReadyWhen& when = worker.terms.ready_when;
    if (std::holds_alternative<ReadyAlive>(when) || std::holds_alternative<ReadyProbe>(when)) return;
    apply(turn, worker, Trigger::became_ready);
}

// STOPPING=1; or a release that nobody asked for, which means the same.
void take_stopping(Turn& turn, Worker& worker) {
    if (!is_leaving(worker)) {
        worker.reason = Reason::stop;
        worker.why = "it stops on its own account";
        count_own_stop(turn, worker);
    }
    apply(turn, worker, Trigger::said_stopping);
}

}  // namespace

void on_said(Turn& turn, const Said& event) {
    const auto found = turn.state.workers.find(event.worker);
    if (found == turn.state.workers.end()) return;
    Worker& worker = found->second;
    const Report& report = event.report;
    if (worker.launch == Launch::pending) begin_life(turn, worker);  // who speaks lives
    take_facts(turn, worker, report);
    if (report.hello) take_hello(turn, worker, report);
    if (report.ready) take_ready(turn, worker);
    on_health(turn, worker, report.watchdog);
    const bool leaves = report.stopping || ((report.releasing || report.drained) && !is_leaving(worker));
    if (leaves) take_stopping(turn, worker);
    if (worker.recalled && report.accepting == true) {
        apply(turn, worker, Trigger::took_back);
        settle_if_due(turn, worker);
    }
    if (report.extend_usec) extend(turn, worker, *report.extend_usec);
}

}  // namespace holdfast::core
