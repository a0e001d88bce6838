#include "core/crashes.hpp"
#include "core/readiness.hpp"
#include "core/stage_delivery.hpp"
#include "core/watchdog.hpp"
#include "core/worker_events.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

// Sends the stage again. A worker whose deadline has passed gets its next stage within this or the next step instead.
void resend_stage(StepContext& context, const Worker& worker) {
    if (worker.deadline > context.now) send_stage(context, worker);
}

void handle_hello(StepContext& context, Worker& worker, const Report& report) {
    worker.speaks = Speaks::protocol;
    context.state.any_worker_notified = true;
    if (report.stages) worker.stages = *report.stages;
    if (worker.channel == Channel::no_hello) worker.channel = Channel::open;
    if (!worker.recalled) resend_stage(context, worker);
}

// Cancels the recall of a worker that has reported that it is terminating. If it has not released anything yet, it may
// still act on the stage run and accept connections, so its stage is sent again.
void cancel_recall(StepContext& context, Worker& worker) {
    const bool too_late = worker.releasing || worker.drained;
    if (!worker.recalled || !(worker.stopping || too_late)) return;
    worker.recalled = false;
    if (!too_late) resend_stage(context, worker);
}

void update_facts(StepContext& context, Worker& worker, const Report& report) {
    if (report.status) worker.text = *report.status;
    if (report.accepting) worker.accepting = report.accepting;
    if (report.served) worker.served = report.served;
    if (report.in_flight) {
        if (worker.in_flight && *report.in_flight < *worker.in_flight) context.state.manager.progress = true;
        worker.in_flight = report.in_flight;
    }
    if (report.handed_back) worker.handed_back = report.handed_back;
    if (report.lost) worker.lost = report.lost;
    if (report.waiting) {
        worker.waiting = report.waiting;
        worker.held = report.held;
        worker.reported_at = context.now;
    }
    worker.stopping = worker.stopping || report.stopping;
    worker.releasing = worker.releasing || report.releasing;
    if (report.drained && !worker.drained_at) worker.drained_at = context.now;
    worker.drained = worker.drained || report.drained;
    cancel_recall(context, worker);
}

void handle_ready(StepContext& context, Worker& worker) {
    if (worker.speaks == Speaks::nothing) worker.speaks = Speaks::notify;
    context.state.any_worker_notified = true;
    const ReadyWhen& when = worker.health.ready_when;
    if (std::holds_alternative<ReadyAlive>(when) || std::holds_alternative<ReadyProbe>(when)) return;
    apply(context, worker, Trigger::became_ready);
}

// Handles STOPPING=1, or a release that was not requested, which means the same.
void handle_stopping(StepContext& context, Worker& worker) {
    if (!is_leaving(worker)) {
        worker.reason = Reason::stop;
        worker.why = "it stops on its own initiative";
        count_voluntary_stop(context, worker);
    }
    apply(context, worker, Trigger::said_stopping);
}

}  // namespace

void on_said(StepContext& context, const Said& event) {
    const auto found = context.state.workers.find(event.worker);
    if (found == context.state.workers.end()) return;
    Worker& worker = found->second;
    const Report& report = event.report;
    if (worker.launch == Launch::pending) mark_launched(context, worker);  // a message proves the launch
    update_facts(context, worker, report);
    if (report.hello) handle_hello(context, worker, report);
    if (report.ready) handle_ready(context, worker);
    on_watchdog_report(context, worker, report.watchdog);
    const bool leaves = report.stopping || ((report.releasing || report.drained) && !is_leaving(worker));
    if (leaves) handle_stopping(context, worker);
    if (worker.recalled && report.accepting == true) {
        apply(context, worker, Trigger::took_back);
        settle_if_due(context, worker);
    }
    if (report.extend_usec) extend(context, worker, *report.extend_usec);
}

}  // namespace holdfast::core
