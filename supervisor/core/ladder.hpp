#pragma once

#include <cstdint>
#include <string>

#include "core/turn.hpp"

namespace holdfast::core {

// The way out of a worker, one stage after the other, each with its deadline; and the way back. The only place where a
// worker's state changes.

// Applies `trigger` by the rules of worker_state.hpp and does what entering the new state asks for: the deadline, the
// stage told or its signal, the note. Does nothing where there is no rule.
void apply(Turn& turn, Worker& worker, Trigger trigger);

struct Departure {
    Reason reason = Reason::stop;
    std::string why;                         // "restart asked for by uid 0"
    LameDuck lame_duck = LameDuck::skipped;  // only endings without a successor are announced
};

// Asks a worker to leave. One that leaves already goes on as it does; one that was told to run is told again to drain.
void ask_to_leave(Turn& turn, Worker& worker, const Departure& departure);

// Tells a ready worker, or one that was told to run again, to pause for so long.
void pause(Turn& turn, Worker& worker, Duration pause_for);

// Tells a worker to run again. It keeps its deadline, and is ready once it says that it accepts.
void recall(Turn& turn, Worker& worker);

// The launch succeeded: what the worker was meant to hear meanwhile, it hears now.
void catch_up(Turn& turn, Worker& worker);

// The channel hung up. A worker that was told its stage but may not have heard it hears the stage's signal.
void lose_channel(Turn& turn, Worker& worker);

// EXTEND_TIMEOUT_USEC: moves the present deadline, within `max_extension` in all.
void extend(Turn& turn, Worker& worker, std::int64_t extend_usec);

}  // namespace holdfast::core
