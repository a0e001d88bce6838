// The history records of a generation, in order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;

// "2 ready": generation and event.
std::vector<std::string> history_of(const CoreHarness& harness) {
    std::vector<std::string> lines;
    for (const Record& record : harness.all<Record>()) {
        if (record.worker.empty())
            lines.push_back(std::to_string(record.generation.value) + " " + std::string(record.event));
    }
    return lines;
}

TEST(HistoryRecords, ContainReadyAndSettledOfTheFirstGeneration) {
    Policy policy;
    policy.workers = 2;
    CoreHarness harness(policy);
    harness.serve_all();
    EXPECT_THAT(history_of(harness), ElementsAre("1 started", "1 ready", "1 done"));
    harness.advance(1s);
    EXPECT_THAT(history_of(harness), ElementsAre("1 started", "1 ready", "1 done", "1 settled"));
    harness.exited(harness.worker_of(0), 1);
    harness.serve_all();
    harness.advance(1s);
    EXPECT_EQ(history_of(harness).size(), 4U);  // recorded once
}

TEST(HistoryRecords, ContainEachStepOfARestart) {
    CoreHarness harness = serving({}, 2);
    harness.clear_actions();
    harness.ask(Restart{});
    harness.serve_all();
    EXPECT_THAT(history_of(harness), ElementsAre("2 started", "2 prepared", "2 ready"));
    harness.advance(1s);
    harness.exit_all_leaving();
    EXPECT_THAT(history_of(harness),
                ElementsAre("2 started", "2 prepared", "2 ready", "2 settled", "2 committed", "1 draining", "2 done"));
}

TEST(HistoryRecords, ContainTheDrainAfterTheProbation) {
    Policy policy;
    policy.probation = 60s;
    CoreHarness harness = serving(policy, 1);
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    ASSERT_EQ(harness.phase(), Phase::probation);
    harness.clear_actions();
    harness.advance(60s);
    harness.exit_all_leaving();
    EXPECT_THAT(history_of(harness), ElementsAre("2 retired", "1 draining", "2 done"));
}

TEST(HistoryRecords, NameTheSourceOfAStop) {
    CoreHarness harness = serving({}, 1);
    harness.clear_actions();
    harness.signal(Stop{});
    ASSERT_THAT(history_of(harness), ElementsAre("1 draining"));
    EXPECT_THAT(harness.all<Record>()[0].text, ::testing::HasSubstr("SIGTERM"));
}

}  // namespace
}  // namespace holdfast::core::testing
