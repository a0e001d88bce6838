#pragma once

// A file that every worker maps and in which it records when it started.
//
// A worker claims an entry, fills it and increments `done`. The worker that makes `done` reach `wake_at` wakes the
// process that waits on `done` with futex(2). So a hundred workers that start cost one wake-up, and no process polls.

#include <stdint.h>

enum { max_start_times = 4095 };

struct start_time {
    uint64_t nanoseconds;  // CLOCK_MONOTONIC at the first instruction of the worker
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
