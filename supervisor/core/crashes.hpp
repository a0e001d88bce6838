#pragma once

#include <string>
#include <vector>

#include "core/step_context.hpp"

namespace holdfast::core {

// What went wrong with a worker.
struct Crash {
    std::string what;                     // "exited with status 3", "was killed by the kernel: out of memory (SIGKILL)"
    std::vector<std::string> last_words;  // what is known of them now
    std::string hint;                     // what the mistake may be; empty: nobody can guess
};

// "exited with status 3 (its hint)"
std::string describe(const Crash& crash);

// A worker ended, or must leave, without having been asked to: any exit, status 0 too, a launch that failed, a ready
// timeout, a missed watchdog, failed probes. Its slot is refilled, the first time at once, then with growing pauses; a
// rollout that wanted it fails.
void count_crash(StepContext& context, const Worker& worker, const Crash& crash);

// It lives and does not do its work: a crash, and it is asked to leave. One that leaves already goes on to drain.
void fail_worker(StepContext& context, Worker& worker, const std::string& what);

// A worker stops on its own account: no crash, its successor comes at once. One that never served, or hardly, is
// counted as a crash all the same, or it could keep the supervisor busy for ever.
void count_voluntary_stop(StepContext& context, const Worker& worker);

// What a worker that had to leave wrote before it ended.
void complete_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words);

// An operator's request forgives all crashes.
void reset_crashes(State& state);

// The worker has been ready for so long that the crashes before it no longer count.
bool has_outlived_crashes(const Worker& worker, Instant now);

// A slot that crashes over and over is a state of the service, and said once at its begin and its end.
void detect_crash_loops(StepContext& context);

// When a loop would end because its worker has been ready for long enough.
std::optional<Instant> crash_loop_ends_at(const State& state, const Worker& worker);

}  // namespace holdfast::core
