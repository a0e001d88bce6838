#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace holdfast::core {

// A place that should have a worker. What it should have follows from its index, the target and the rollout; what it
// has, from the workers. Here stands only what outlives them: its crashes.
struct Slot {
    int crashes_in_a_row = 0;
    bool crashed = false;                   // the next launch replaces a crash
    std::optional<Instant> next_attempt;    // nothing is launched before
    std::string last_failure;               // "worker 1.0 exited with status 3"
    std::vector<std::string> last_words;    // of that one
    std::optional<WorkerId> failed_worker;  // the same one: its last words may be known later than its failure
    bool looping = false;                   // it crashes over and over, and the log has said so
};

}  // namespace holdfast::core
