#pragma once

#include <cstdint>
#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// Moves a worker through the termination stages, each with its deadline, and back to service. No other file changes the
// state of a worker.

// Applies `trigger` according to the rules in worker_state.hpp and performs the entry actions of the new state: sets
// the deadline, sends the stage or its signal, writes the log entry. Does nothing if there is no rule.
void apply(StepContext& context, Worker& worker, Trigger trigger);

struct LeaveRequest {
    Reason reason = Reason::stop;
    std::string why;                         // "restart asked for by uid 0"
    LameDuck lame_duck = LameDuck::skipped;  // as_configured: only for a termination without a successor
};

// Asks a worker to leave. A worker that is already leaving continues unchanged. A worker that was recalled is sent its
// stage again.
void ask_to_leave(StepContext& context, Worker& worker, const LeaveRequest& request);

// Sends the stage pause to a worker that is ready or recalled. After `pause_for` it is drained.
void pause(StepContext& context, Worker& worker, Duration pause_for);

// Sends the stage run to a worker that is paused or leaving. It becomes ready when it reports that it accepts again. A
// worker that is leaving keeps its deadline.
void recall(StepContext& context, Worker& worker);

// Sends the current stage to a worker whose launch has just succeeded.
void deliver_pending_stage(StepContext& context, Worker& worker);

// Marks the control pipe as lost. A worker that was sent its stage and has not reacted to it gets the signal of the
// stage instead.
void lose_channel(StepContext& context, Worker& worker);

// Handles EXTEND_TIMEOUT_USEC: moves the current deadline, by at most `max_extension` over the life of the worker.
void extend(StepContext& context, Worker& worker, std::int64_t extend_usec);

}  // namespace holdfast::core
