#pragma once

#include "core/turn.hpp"

namespace holdfast::core {

// How a worker hears of its stage: told over the control pipe, once it said HELLO and where it listed the stage; else
// by a signal, where the stage has one. A worker whose launch is under way hears nothing yet.

// The worker is in a stage that it can be told.
bool hears_stage(const Worker& worker);

// The present stage, by whatever voice the worker hears.
void voice_stage(Turn& turn, Worker& worker);

// The present stage over the control pipe alone; nothing for a worker that cannot be told.
void tell_stage(Turn& turn, const Worker& worker);

// The present stage's signal to whatever is left: the main process, or its group once that has ended; and strays.
void signal_stage(Turn& turn, Worker& worker);

}  // namespace holdfast::core
