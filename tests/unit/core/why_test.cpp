#include "core/describe/why.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string why(const CoreHarness& harness, const std::string& worker) { return explain(harness.status(), worker); }

TEST(Why, OfADrainingWorkerNamesItsWorkTheRequestAndTheDeadline) {
    CoreHarness harness = serving({}, 1);
    const WorkerId worker = harness.worker(1, 0);
    harness.signal(Stop{});
    harness.advance(12s);
    Report report;
    report.in_flight = 3;
    report.waiting = std::vector<Waiting>{{"request", "GET /report", 12'300'000}};
    report.held = {{"request", 3}};
    harness.feed(Said{worker, report});
    EXPECT_THAT(why(harness, "1.0"),
                AllOf(HasSubstr("worker 1.0"), HasSubstr("told to leave 12.0 s ago"), HasSubstr("SIGTERM"),
                      HasSubstr("3 requests"), HasSubstr("GET /report for 12.3 s"), HasSubstr("cancelled in 18.0 s")));
    harness.advance(18s);
    EXPECT_THAT(why(harness, "1.0"), AllOf(HasSubstr("abandon"), HasSubstr("killed in 5.0 s")));
    harness.advance(5s);
    EXPECT_THAT(why(harness, "1.0"), AllOf(HasSubstr("was killed"), HasSubstr("state D")));
}

TEST(Why, OfADrainingWorkerWithoutHelloSaysThatTheWorkIsUnknown) {
    CoreHarness harness({});
    harness.serve_without_hello(harness.worker(1, 0));
    harness.signal(Stop{});
    EXPECT_THAT(why(harness, "1.0"), HasSubstr("not known: it does not speak"));
}

TEST(Why, OfADrainedWorkerSaysThatItDidNotExit) {
    CoreHarness harness = serving({}, 1);
    harness.signal(Stop{});
    Report report;
    report.drained = true;
    harness.feed(Said{harness.worker(1, 0), report});
    harness.advance(2s);
    EXPECT_THAT(why(harness, "1.0"), HasSubstr("it said 2.0 s ago that it has released everything, and did not exit"));
}

TEST(Why, OfAReadyWorkerSaysThatItWasNotAskedToLeave) {
    CoreHarness harness = serving({}, 1);
    EXPECT_THAT(why(harness, "1.0"), AllOf(HasSubstr("serves"), HasSubstr("nobody has asked it to leave")));
}

TEST(Why, OfAStartingWorkerNamesTheLastProbe) {
    Policy policy;
    policy.ready_when = ReadyProbe{ReadyProbe::How::tcp, ReadyProbe::Where::address, "127.0.0.1:9", "/"};
    CoreHarness harness(policy);
    EXPECT_THAT(why(harness, "1.0"), HasSubstr("has been launching"));
    harness.spawned(harness.worker(1, 0));
    harness.advance(3s);
    harness.probed(harness.worker(1, 0), ProbeAnswered::Answer::bad, "connection refused");
    EXPECT_THAT(why(harness, "1.0"),
                AllOf(HasSubstr("launched 3.0 s ago"), HasSubstr("the last probe said connection refused"),
                      HasSubstr("in 57.0 s at the latest")));
}

TEST(Why, OfAPausedWorkerSaysWhenItResumes) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Pause{});
    EXPECT_THAT(why(harness, "1.0"),
                AllOf(HasSubstr("paused by uid 0"), HasSubstr("resumes automatically in 600.0 s")));
    harness.ask(Resume{});
    EXPECT_THAT(why(harness, "1.0"), HasSubstr("told to accept again and has not confirmed yet"));
}

TEST(Why, OfACrashedWorkerNamesTheFailureAndTheNextLaunch) {
    Policy policy;
    policy.backoff_min = policy.backoff_max = 4s;
    CoreHarness harness = serving(policy, 1);
    harness.exited(harness.worker(1, 0), 1);
    harness.exited(harness.worker(1, 0), 3);
    EXPECT_THAT(why(harness, "1.0"),
                AllOf(HasSubstr("exited with status 3"), HasSubstr("last line"), HasSubstr("crashed 2 times in a row"),
                      HasSubstr("next launch is in 4.0 s")));
    EXPECT_THAT(why(harness, "7.7"), AllOf(HasSubstr("no worker 7.7"), HasSubstr("next launch is in 4.0 s")));
}

TEST(Why, OfAnUnknownNameListsTheExistingWorkers) {
    CoreHarness harness = serving({}, 2);
    EXPECT_EQ(why(harness, "7.7"), "there is no worker 7.7: 1.0 and 1.1 exist");
    EXPECT_EQ(why(harness, ""), "there is no worker : 1.0 and 1.1 exist");
}

TEST(Why, OfAnUnknownNameIsLimitedInLength) { EXPECT_LT(why(serving({}, 500), "7.7").size(), 300U); }

TEST(Why, ExplainsBothWorkersWithTheSameName) {
    CoreHarness harness = serving({}, 1);
    harness.advance(5s);
    harness.stopping(harness.worker(1, 0));
    harness.serve_all();
    EXPECT_THAT(why(harness, "1.0"), AllOf(HasSubstr("it stops on its own initiative"), HasSubstr("Another worker 1.0"),
                                           HasSubstr("nobody has asked it to leave")));
}

TEST(Why, MentionsAChangeOnlyForTheWorkersThatItReplaces) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Restart{});
    EXPECT_THAT(why(harness, "1.0"), HasSubstr("restart to generation 2, asked for by uid 0"));
    harness.serve_all();
    EXPECT_THAT(why(harness, "2.0"), Not(HasSubstr("will ask it to leave")));
}

}  // namespace
}  // namespace holdfast::core::testing
