// Minimising: a failure is reduced to the inputs that it needs, and the result can be replayed.

#include "tests/simulator/minimise.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "tests/simulator/schedule.hpp"

namespace holdfast::simulator {

namespace {

using namespace std::chrono_literals;

// A replay with an artificial invariant: the third worker must not crash in a story with a scale.
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

// The story of a random schedule, with a crash of the third worker and a scale added.
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

TEST(Minimise, KeepsOnlyWhatTheFailureNeeds) {
    ASSERT_GT(to_text(long_story()).size(), 1000U);
    const Minimised minimised = minimise(long_story(), 1min, report_false_violation);
    EXPECT_EQ(to_text(minimised.story),
              "policy\nseed 1\ncompany protocol\nworker 3 crashes_after=1ms\nincident what=scale at=1ms\n"
              "roams_until 0s\n");
    EXPECT_EQ(minimised.violation, "worker #1 crashed");
}

TEST(Minimise, DoesNotChangeAStoryThatDoesNotFail) {
    const Minimised minimised = minimise(long_story(), 1min, [](const Story&) { return ReplayResult{}; });
    EXPECT_EQ(to_text(minimised.story), to_text(long_story()));
    EXPECT_EQ(minimised.violation, "");
}

TEST(Minimise, PrintsAStoryThatCanBeReadAndFailsInTheSameWay) {
    const Minimised minimised = minimise(long_story(), 1min, report_false_violation);
    std::ostringstream out;
    print(out, minimised);
    const std::string text = out.str(), begin = "first_violation(R\"(\n";
    const auto from = text.find(begin) + begin.size();
    const Story read = story_of(text.substr(from, text.find(")\")", from) - from));
    EXPECT_EQ(to_text(read), to_text(minimised.story));
    EXPECT_EQ(report_false_violation(read).violations, std::vector<std::string>{minimised.violation});
}

TEST(Minimise, StoryOfEverySeedReplaysInTheSameStepsAfterReading) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Schedule schedule(seed, {});
        schedule.run(200);
        const Story& story = schedule.story();
        const Story read = story_of(to_text(story));
        ASSERT_EQ(to_text(read), to_text(story)) << "seed " << seed;
        std::ostringstream steps, steps_after_reading;
        replay(story, &steps);
        replay(read, &steps_after_reading);
        ASSERT_TRUE(steps.str() == steps_after_reading.str()) << "the steps of seed " << seed << " differ";
    }
}

TEST(Minimise, RejectsATextThatIsNotAStory) {
    EXPECT_THROW(story_of("policy wrokers=2"), std::runtime_error);
    EXPECT_THROW(story_of("incident what=restrat"), std::runtime_error);
    EXPECT_THROW(story_of("late one 2s"), std::runtime_error);
}

}  // namespace holdfast::simulator
