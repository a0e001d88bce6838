// What the ledger hears of a generation's life, in order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;

// "2 ready": which generation, and what.
std::vector<std::string> told(const Bench& bench) {
    std::vector<std::string> lines;
    for (const Record& record : bench.all<Record>()) {
        if (record.worker.empty())
            lines.push_back(std::to_string(record.generation.value) + " " + std::string(record.event));
    }
    return lines;
}

TEST(LedgerRecords, TellWhenTheFirstGenerationWasReadyAndSettled) {
    Policy policy;
    policy.workers = 2;
    Bench bench(policy);
    bench.serve_all();
    EXPECT_THAT(told(bench), ElementsAre("1 started", "1 ready", "1 done"));
    bench.advance(1s);
    EXPECT_THAT(told(bench), ElementsAre("1 started", "1 ready", "1 done", "1 settled"));
    bench.exited(bench.worker_of(0), 1);
    bench.serve_all();
    bench.advance(1s);
    EXPECT_EQ(told(bench).size(), 4U);  // once
}

TEST(LedgerRecords, TellEachStepOfARestart) {
    Bench bench = serving({}, 2);
    bench.forget_actions();
    bench.ask(Restart{});
    bench.serve_all();
    EXPECT_THAT(told(bench), ElementsAre("2 started", "2 prepared", "2 ready"));
    bench.advance(1s);
    bench.exit_all_leaving();
    EXPECT_THAT(told(bench),
                ElementsAre("2 started", "2 prepared", "2 ready", "2 settled", "2 committed", "1 draining", "2 done"));
}

TEST(LedgerRecords, TellThatTheOldOnesDrainOnlyAfterAProbation) {
    Policy policy;
    policy.probation = 60s;
    Bench bench = serving(policy, 1);
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    ASSERT_EQ(bench.phase(), Phase::probation);
    bench.forget_actions();
    bench.advance(60s);
    bench.exit_all_leaving();
    EXPECT_THAT(told(bench), ElementsAre("2 retired", "1 draining", "2 done"));
}

TEST(LedgerRecords, TellWhoAskedForTheStop) {
    Bench bench = serving({}, 1);
    bench.forget_actions();
    bench.signal(Stop{});
    ASSERT_THAT(told(bench), ElementsAre("1 draining"));
    EXPECT_THAT(bench.all<Record>()[0].text, ::testing::HasSubstr("SIGTERM"));
}

}  // namespace
}  // namespace holdfast::core::testing
