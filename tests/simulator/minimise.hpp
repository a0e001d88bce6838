#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "tests/simulator/service_run.hpp"
#include "tests/simulator/story.hpp"

namespace holdfast::simulator {

// Searches for the shortest story that causes the same violation as `story`, for at most `budget`: drops incidents,
// makes workers well behaved, resets values to their defaults and shortens durations. Returns the story unchanged if it
// causes no violation.
struct Minimised {
    Story story;
    std::string violation;
    std::uint64_t replays = 0;
};
using Replay = std::function<ReplayResult(const Story&)>;
Minimised minimise(const Story& story, Duration budget, const Replay& replay = replay_quietly);

// Prints the story, and a test case for regression_test.cpp.
void print(std::ostream& out, const Minimised& minimised);

}  // namespace holdfast::simulator
