#pragma once

#include <chrono>
#include <cstdint>
#include <holdfast/message.hpp>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// What a worker holds at one moment: the report that the supervisor receives during a drain.
struct DrainReport {
    Stage stage = Stage::run;                            ///< the last stage that was received
    std::optional<std::chrono::microseconds> remaining;  ///< time until the stage's deadline; nothing while serving
    std::uint64_t requests = 0;                          ///< requests in flight
    std::uint64_t sessions = 0;                          ///< open sessions, including overdue ones
    std::uint64_t tasks = 0;                             ///< running tasks
    std::uint64_t work = 0;                              ///< items of work that are held
    std::uint64_t resources = 0;                         ///< resources that are not closed
    std::uint64_t served = 0;                            ///< requests ended since the start
    std::uint64_t handed_back = 0;                       ///< items of work handed back since the start
    std::uint64_t lost = 0;                              ///< items of work whose hand-back failed, since the start

    /// The 16 oldest of each kind, and the stages whose callbacks are running (kind "callback"). The name of a resource
    /// says if its close is running, hangs or threw.
    std::vector<Waiting> waiting;

    /// What has failed since the start, in words; the first 16: "the task consumer ended by an exception: ...".
    std::vector<std::string> failed;

    /// The report as text, several lines; ends with a newline.
    std::string text() const;
};

}  // namespace holdfast
