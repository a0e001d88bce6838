#pragma once

// The sheet on which workers write down when they began: a file that every worker maps.
//
// A worker claims a line, fills it and counts itself as done; the one that makes `done` reach `wake_at` wakes whoever
// waits on `done` with futex(2). So a hundred workers that start cost one wake-up, and nobody polls.

#include <stdint.h>

enum { max_start_times = 4095 };

struct start_time {
    uint64_t nanoseconds;  // CLOCK_MONOTONIC at the worker's first instruction
    int32_t pid;
    uint32_t unused;
};

struct start_times {
    uint32_t done;
    uint32_t wake_at;
    uint32_t claimed;
    uint32_t unused;
    struct start_time entries[max_start_times];
};
