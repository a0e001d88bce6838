#pragma once

#include <string>
#include <vector>

#include "core/step_context.hpp"

namespace holdfast::core {

// Describes the failure of a worker.
struct Crash {
    std::string what;                     // "exited with status 3", "was killed by the kernel: out of memory (SIGKILL)"
    std::vector<std::string> last_words;  // last lines of standard error, as far as known
    std::string hint;                     // a probable cause; empty: none known
};

// "exited with status 3 (its hint)"
std::string describe(const Crash& crash);

// Counts a crash: a worker exited or must leave without a request. This includes any exit (also with status 0), a
// failed launch, a ready timeout, a missed watchdog and failed probes. The slot is refilled: at once after the first
// crash, then with growing delays. A rollout that launched the worker fails.
void count_crash(StepContext& context, const Worker& worker, const Crash& crash);

// Counts a crash of a worker that runs but does not work, and asks it to leave. A worker in lame duck drains.
void fail_worker(StepContext& context, Worker& worker, const std::string& what);

// Handles a worker that stops on its own initiative: not a crash, its successor is launched at once. It counts as a
// crash if the worker has served for less than a second: otherwise the supervisor could relaunch it in a busy loop.
void count_voluntary_stop(StepContext& context, const Worker& worker);

// Adds the last words of a worker that had to leave; they are known only after its exit.
void complete_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words);

// Resets the crash counts and the backoff of all slots, on an operator's request.
void reset_crashes(State& state);

// Whether the worker has been ready for `backoff_reset_after`, so that earlier crashes of its slot no longer count.
bool has_outlived_crashes(const Worker& worker, Instant now);

// Updates Slot::looping; logs the begin and the end of a crash loop once.
void detect_crash_loops(StepContext& context);

// The time at which the worker will have been ready long enough to end the crash loop of its slot; nullopt if there is
// none.
std::optional<Instant> crash_loop_ends_at(const State& state, const Worker& worker);

}  // namespace holdfast::core
