#pragma once

#include "options.hpp"
#include "supervisor_channel.hpp"

// Injects the faults that occur once, at the start.
void inject_faults(const Options& options, const SupervisorChannel& channel);

// Starts three children that ignore signals and never exit: in the process group, in its own session, and
// double-forked, so that it becomes an orphan. Returns the pid of the first.
int start_grandchildren();

void clear_nonblock();

// Sends messages until the channel is full.
void flood(const SupervisorChannel& channel);
