// A failure must come down to what it needs, in a form that can be told again.

#include "tests/simulator/minimise.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/simulator/schedule.hpp"

namespace holdfast::simulator {

namespace {

using namespace std::chrono_literals;

// A watch that believes that nobody may crash who was launched third, once somebody asked for a scale.
ReplayResult report_false_violation(const Story& story) {
    ReplayResult replayed;
    const auto script = story.scripts.find(3);
    const bool crashes = script != story.scripts.end() && script->second.crashes_after;
    for (const Incident& incident : story.incidents)
        if (crashes && incident.what == Incident::What::scale)
            replayed.violations = {"worker #" + std::to_string(story.incidents.size()) + " crashed"};
    replayed.end = Instant{Duration{1h}};
    return replayed;
}

// What a random schedule wrote down, with a third worker that crashes and a scale.
Story long_story() {
    Schedule schedule(4, {});
    schedule.run(200);
    Story story = schedule.story();
    story.scripts[3].crashes_after = 12'345'678us;
    Incident scale;
    scale.what = Incident::What::scale;
    scale.at = 55'555'555us;
    story.incidents.push_back(scale);
    return story;
}

}  // namespace

TEST(Minimise, LeavesWhatTheFailureNeedsAndNothingElse) {
    ASSERT_GT(to_text(long_story()).size(), 1000U);
    const Minimised minimised = minimise(long_story(), 1min, report_false_violation);
    EXPECT_EQ(to_text(minimised.story),
              "policy\nseed 1\ncompany protocol\nworker 3 crashes_after=1ms\nincident what=scale at=1ms\n"
              "roams_until 0s\n");
    EXPECT_EQ(minimised.violation, "worker #1 crashed");
}

TEST(Minimise, KeepsAStoryThatDoesNotFailAsItIs) {
    const Minimised minimised = minimise(long_story(), 1min, [](const Story&) { return ReplayResult{}; });
    EXPECT_EQ(to_text(minimised.story), to_text(long_story()));
    EXPECT_EQ(minimised.violation, "");
}

TEST(Minimise, PrintsAStoryThatFailsInTheSameWayWhenItIsReadAgain) {
    const Minimised minimised = minimise(long_story(), 1min, report_false_violation);
    std::ostringstream out;
    print(out, minimised);
    const std::string text = out.str(), begin = "first_violation(R\"(\n";
    const auto from = text.find(begin) + begin.size();
    const Story read = story_of(text.substr(from, text.find(")\")", from) - from));
    EXPECT_EQ(to_text(read), to_text(minimised.story));
    EXPECT_EQ(report_false_violation(read).violations, std::vector<std::string>{minimised.violation});
}

TEST(Minimise, ReadsEveryStoryThatASeedGivesAndTellsItInTheSameSteps) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Schedule schedule(seed, {});
        schedule.run(200);
        const Story& story = schedule.story();
        const Story read = story_of(to_text(story));
        ASSERT_EQ(to_text(read), to_text(story)) << "seed " << seed;
        std::ostringstream told, told_again;
        replay(story, &told);
        replay(read, &told_again);
        ASSERT_TRUE(told.str() == told_again.str()) << "seed " << seed << " is told in other steps from its story";
    }
}

TEST(Minimise, WhatIsNoStoryIsSaid) {
    EXPECT_THROW(story_of("policy wrokers=2"), std::runtime_error);
    EXPECT_THROW(story_of("incident what=restrat"), std::runtime_error);
    EXPECT_THROW(story_of("late one 2s"), std::runtime_error);
}

}  // namespace holdfast::simulator
