#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "tests/simulator/service_run.hpp"
#include "tests/simulator/story.hpp"

namespace holdfast::simulator {

// The shortest story that it finds to break what `story` breaks: it drops what comes from outside, makes workers well
// behaved, numbers usual and times short, for `budget` at most. The story as it is where it does not break anything.
struct Minimised {
    Story story;
    std::string violation;
    std::uint64_t replays = 0;
};
using Replay = std::function<ReplayResult(const Story&)>;
Minimised minimise(const Story& story, Duration budget, const Replay& replay = replay_quietly);

// As a list for a person, and as a test for regression_test.cpp.
void print(std::ostream& out, const Minimised& minimised);

}  // namespace holdfast::simulator
