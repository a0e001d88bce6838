#pragma once

#include "options.hpp"
#include "supervisor_channel.hpp"

// All that is done once, at the start.
void inject_faults(const Options& options, const SupervisorChannel& channel);

// Three children that ignore signals and never end: in the process group, in a session of its own, and double-forked
// into the care of whoever reaps orphans. Returns the pid of the first.
int start_grandchildren();

void clear_nonblock();

// Messages until no more are taken.
void flood(const SupervisorChannel& channel);
