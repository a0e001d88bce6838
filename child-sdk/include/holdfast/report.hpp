#pragma once

#include <chrono>
#include <cstdint>
#include <holdfast/message.hpp>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// What a worker holds at one moment: the same that the supervisor is told while it drains.
struct DrainReport {
    Stage stage = Stage::run;                            ///< the last one that was told
    std::optional<std::chrono::microseconds> remaining;  ///< until the stage's deadline; nothing while serving
    std::uint64_t requests = 0;                          ///< in flight
    std::uint64_t sessions = 0;                          ///< that are held, overdue ones too
    std::uint64_t tasks = 0;                             ///< that still run
    std::uint64_t work = 0;                              ///< items
    std::uint64_t resources = 0;                         ///< that are not closed
    std::uint64_t served = 0;                            ///< requests that ended since the start
    std::uint64_t handed_back = 0;                       ///< items of work since the start

    /// The 16 oldest of each kind, and stages whose callbacks run (kind "callback"). A resource whose close runs, hangs
    /// or threw says so in its name.
    std::vector<Waiting> waiting;

    /// For a person, a line each; ends with a newline.
    std::string text() const;
};

}  // namespace holdfast
