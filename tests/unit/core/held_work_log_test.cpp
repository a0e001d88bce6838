// The log entries for a worker that is cancelled, killed, or exits without releasing everything: they name the work
// that it still held.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Report drain_report(std::vector<Waiting> waiting, std::vector<HeldCount> held = {}) {
    Report report;
    report.in_flight = 0;
    report.waiting = std::move(waiting);
    report.held = std::move(held);
    return report;
}

Report drained() {
    Report report = drain_report({});
    report.drained = true;
    return report;
}

// One draining worker, with a grace period of 30 s and a cancel period of 5 s.
class Draining : public ::testing::Test {
  protected:
    Draining() : harness_(serving({}, 1)), worker_(harness_.status().workers.at(0).id) { harness_.signal(Stop{}); }

    void send(const Report& report) { harness_.feed(Said{worker_, report}); }

    // The log entries at the cancel and at the kill.
    std::vector<std::string> held() const { return harness_.notes("worker_held"); }

    CoreHarness harness_;
    WorkerId worker_;
};

TEST_F(Draining, LogsHeldWorkAtTheCancelAndAtTheKill) {
    harness_.advance(29s);
    send(drain_report({{"request", "GET /slow", Duration{12s}.count()}}));
    harness_.advance(5s);
    send(drain_report({{"request", "GET /slow", Duration{17s}.count()}}));
    harness_.advance(1s);
    EXPECT_EQ(held(), (std::vector<std::string>{"when it was cancelled: it still held request GET /slow for 12.0 s",
                                                "it still held request GET /slow for 17.0 s"}));
    EXPECT_EQ(harness_.notes("worker_killed").size(), 1U);
}

TEST_F(Draining, GroupsHeldWorkByKindWithCounts) {
    harness_.advance(30s - 1us);
    send(drain_report({{"request", "GET /a", Duration{9s}.count()},
                       {"session", "/chat", Duration{80s}.count()},
                       {"request", "GET /b", Duration{8s}.count()}},
                      {{"request", 2}, {"session", 64}, {"task", 3}, {"work", 0}}));
    harness_.advance(1us);
    EXPECT_EQ(held().at(0),
              "when it was cancelled: it still held 2 requests: GET /a for 9.0 s, GET /b for 8.0 s; "
              "64 sessions, the oldest: /chat for 80.0 s; 3 tasks");
}

TEST_F(Draining, LogsTheAgeOfAnOldReport) {
    send(drain_report({{"task", "consumer", Duration{12s}.count()}}));
    harness_.advance(30s);
    EXPECT_EQ(held().at(0), "when it was cancelled: it still held task consumer for 12.0 s, as it said 30.0 s before");
}

TEST_F(Draining, ReplacesTheCountsWithEachReport) {
    harness_.advance(29s);
    send(drain_report({{"task", "consumer", 0}}, {{"task", 4}}));
    send(drain_report({{"resource", "pool", 0}}));
    EXPECT_TRUE(harness_.status().workers.at(0).held.empty());
    Report other;
    other.status = "busy";
    send(other);  // contains no drain report
    harness_.advance(1s);
    EXPECT_EQ(held().at(0), "when it was cancelled: it still held resource pool for 0.0 s");
}

TEST_F(Draining, LogsThatThereWasNoReport) {
    harness_.advance(30s);
    EXPECT_EQ(held().at(0), "when it was cancelled: it sent no drain report");
}

TEST_F(Draining, LogsTheRequestsInFlightIfNoneIsNamed) {
    harness_.advance(30s - 1us);
    Report report = drain_report({});
    report.in_flight = 3;
    send(report);
    harness_.advance(1us);
    EXPECT_EQ(held().at(0), "when it was cancelled: it had 3 in flight and named nothing it held");
    harness_.advance(4s);
    send(drain_report({}));
    harness_.advance(1s);
    EXPECT_EQ(held().at(1), "it held nothing that it named, and had not released everything");
}

TEST_F(Draining, LogsAHintIfADrainedWorkerDoesNotExit) {
    harness_.advance(28s);
    send(drained());
    harness_.advance(1s);
    send(drained());  // sent again: the first time counts
    EXPECT_EQ(harness_.status().workers.at(0).drained_at, harness_.now() - 1s);
    harness_.advance(6s);
    EXPECT_EQ(held(), (std::vector<std::string>{
                          "when it was cancelled: it said 2.0 s before that it had released everything, and did not "
                          "exit: look for static destructors or atexit handlers that block, and for threads that are "
                          "not joined",
                          "it said 7.0 s before that it had released everything, and did not exit: look for static "
                          "destructors or atexit handlers that block, and for threads that are not joined"}));
    EXPECT_EQ(harness_.notes("worker_killed").size(), 1U);
}

TEST_F(Draining, LogsHeldWorkIfTheExitIsUnclean) {
    Report report = drained();
    report.waiting = {{"resource", "db-pool (its close threw)", Duration{2s}.count()}};
    report.handed_back = 7;
    report.lost = 2;
    send(report);
    harness_.exited(worker_, 3);
    EXPECT_EQ(
        harness_.notes("worker_gone").at(0),
        "exited with status 3, 0.0 s into draining (stop asked for by SIGTERM); handed back 7 items of work; lost "
        "2 items of work; it still held "
        "resource db-pool (its close threw) for 2.0 s; its last words: last line");
    const auto notes = harness_.all<Note>();
    const auto gone = std::ranges::find(notes, "worker_gone", &Note::event);
    ASSERT_NE(gone, notes.end());
    EXPECT_EQ(gone->level, Level::warning);
}

TEST_F(Draining, LogsNoLastWordsAfterACleanExit) {
    Report report = drained();
    report.handed_back = 1;
    send(report);
    harness_.exited(worker_, 0);
    EXPECT_EQ(harness_.notes("worker_gone").at(0),
              "exited with status 0, 0.0 s into draining (stop asked for by SIGTERM); handed back 1 "
              "item of work");
    EXPECT_EQ(harness_.exit_code(), 0);
}

TEST_F(Draining, ShowsHeldWorkInTheStatus) {
    Report report = drain_report({{"work", "order 17", 5}}, {{"work", 9}});
    report.handed_back = 2;
    send(report);
    const WorkerStatus status = harness_.status().workers.at(0);
    EXPECT_EQ(status.waiting, *report.waiting);
    EXPECT_EQ(status.held, report.held);
    EXPECT_EQ(status.handed_back, 2U);
    EXPECT_FALSE(status.drained_at);
}

// Work that is counted but not named counts as cut off as well.
TEST_F(Draining, ExitsWithThreeIfCountedWorkIsCutOff) {
    send(drain_report({}, {{"session", 0}, {"work", 2}}));
    harness_.advance(30s);
    harness_.exited(worker_);
    EXPECT_EQ(harness_.exit_code(), 3);
}

TEST_F(Draining, ExitsWithZeroIfNoWorkIsLeft) {
    send(drain_report({}, {{"work", 0}}));
    harness_.advance(30s);
    harness_.exited(worker_);
    EXPECT_EQ(harness_.exit_code(), 0);
}

// For a program without the protocol, exit status 128 + signal is the usual end.
TEST(DrainingWithoutHello, AcceptsAnyExitStatus) {
    CoreHarness harness(Policy{});
    const WorkerId worker = harness.worker(1, 0);
    harness.serve_without_hello(worker);
    harness.signal(Stop{});
    harness.exited(worker, 143);
    EXPECT_THAT(harness.notes("worker_gone").at(0), Not(HasSubstr("last words")));
}

}  // namespace
}  // namespace holdfast::core::testing
