#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/exit_status.hpp"
#include "base/time.hpp"
#include "core/event.hpp"
#include "core/state.hpp"
#include "core/worker.hpp"

namespace holdfast::core {

// "30.0 s"
std::string seconds(Duration duration);

// "1 worker", "3 workers"
std::string workers(int count);

// "2.0": generation and slot.
std::string name_of(const Worker& worker);

// "generation 3"
std::string name_of(Generation generation);

// "restart", "rollback", "reload"
std::string_view noun_of(Rollout::Kind kind);

// "a, b and c"
std::string list_of(const std::vector<std::string>& items);

// "exited with status 3", "was killed by the kernel: out of memory (SIGKILL)"
std::string describe_exit(const ExitStatus& status, KilledBy killed_by);

// The work in the last drain report: "request GET /report for 12.3 s; 64 sessions, the oldest: …". Empty: none, or no
// report.
std::string held_work_of(const Worker& worker);

std::string held_work_of(const std::vector<Waiting>& waiting, const std::vector<HeldCount>& held);

// A sentence on what the worker still held: "it still held request GET /report for 12.3 s".
std::string explain_held_work(const Worker& worker, Instant now);

// "; its last words: …", or empty.
std::string quote_last(const std::vector<std::string>& last_words);

std::string_view to_string(Reason reason);

}  // namespace holdfast::core
