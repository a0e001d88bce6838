#pragma once

#include <cstdint>
#include <string>

#include "core/step_context.hpp"

namespace holdfast::core {

// The way out of a worker, one stage after the other, each with its deadline; and the way back. The only place where a
// worker's state changes.

// Applies `trigger` by the rules of worker_state.hpp and does what entering the new state asks for: the deadline, the
// stage told or its signal, the note. Does nothing where there is no rule.
void apply(StepContext& context, Worker& worker, Trigger trigger);

struct LeaveRequest {
    Reason reason = Reason::stop;
    std::string why;                         // "restart asked for by uid 0"
    LameDuck lame_duck = LameDuck::skipped;  // only endings without a successor are announced
};

// Asks a worker to leave. One that leaves already goes on as it does; one that was told to run is told again to drain.
void ask_to_leave(StepContext& context, Worker& worker, const LeaveRequest& request);

// Tells a ready worker, or one that was told to run again, to pause for so long.
void pause(StepContext& context, Worker& worker, Duration pause_for);

// Tells a worker to run again. It keeps its deadline, and is ready once it says that it accepts.
void recall(StepContext& context, Worker& worker);

// The launch succeeded: what the worker was meant to hear meanwhile, it hears now.
void deliver_pending_stage(StepContext& context, Worker& worker);

// The channel hung up. A worker that was told its stage but may not have heard it hears the stage's signal.
void lose_channel(StepContext& context, Worker& worker);

// EXTEND_TIMEOUT_USEC: moves the present deadline, within `max_extension` in all.
void extend(StepContext& context, Worker& worker, std::int64_t extend_usec);

}  // namespace holdfast::core
