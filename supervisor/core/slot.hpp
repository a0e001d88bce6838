#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/time.hpp"

namespace holdfast::core {

// A position that should be filled by one worker. The index, the target and the rollout define which worker it should
// have; the workers themselves record which one it has. This struct stores only what outlives a worker: the crash
// history.
struct Slot {
    int crashes_in_a_row = 0;
    bool crashed = false;                   // the next launch replaces a crash
    std::optional<Instant> next_attempt;    // backoff: no launch before this time
    std::string last_failure;               // "worker 1.0 exited with status 3"
    std::vector<std::string> last_words;    // last lines of that worker's standard error
    std::optional<WorkerId> failed_worker;  // that worker's id: its last words can arrive after its failure
    bool looping = false;                   // a crash loop was detected and logged
};

}  // namespace holdfast::core
