#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

TEST(Supervisor, IgnoresEventsForWorkersThatAreGone) {
    CoreHarness harness = serving({}, 1);
    const WorkerId gone = harness.status().workers.at(0).id;
    harness.exited(gone, 1);
    harness.clear_actions();
    harness.spawned(gone);
    harness.serve(gone);
    harness.feed(SpawnFailed{gone, "execute", 2});
    harness.feed(ChannelLost{gone});
    harness.feed(MainExited{gone, ExitedWith{0}, 1, 1});
    harness.exited(gone, 1);
    EXPECT_TRUE(harness.actions().empty());
}

TEST(Supervisor, AcceptsAnyReportInAnyState) {
    Report everything;
    everything.hello = everything.ready = everything.stopping = everything.releasing = everything.drained = true;
    everything.stages = every_stage;
    everything.accepting = true;
    everything.extend_usec = std::numeric_limits<std::int64_t>::max();
    everything.waiting = std::vector<Waiting>{{"request", "x", std::numeric_limits<std::int64_t>::max()},
                                              {"request", "y", std::numeric_limits<std::int64_t>::min()}};
    everything.watchdog = Watchdog::trigger;
    Policy policy;
    policy.max_extension = 5s;
    policy.lame_duck = 1s;
    CoreHarness harness = serving(policy, 1);
    const WorkerId worker = harness.status().workers.at(0).id;
    harness.signal(Stop{});
    const Instant start = harness.now();
    while (!harness.exit_code() && harness.now() < start + 1h) {
        harness.feed(Said{worker, everything});
        Report negative;
        negative.extend_usec = -5;
        harness.feed(Said{worker, negative});
        harness.advance(500ms);
    }
    EXPECT_TRUE(harness.exit_code());
}

TEST(Supervisor, GivesTheSameActionsForTheSameEventsAndSeed) {
    const auto run = [] {
        CoreHarness harness = serving({}, 3);
        for (int i = 0; i < 4; ++i) {
            for (const WorkerStatus& worker : harness.status().workers) harness.exited(worker.id, 1);
            harness.advance(20s);
        }
        std::vector<std::pair<Instant, std::size_t>> trace;
        for (const auto& timed : harness.actions()) trace.emplace_back(timed.at, timed.action.index());
        return trace;
    };
    EXPECT_EQ(run(), run());
}

TEST(Supervisor, DoesNothingAfterFinish) {
    CoreHarness harness = serving({}, 1);
    harness.signal(Stop{});
    harness.exit_all_leaving();
    harness.clear_actions();
    harness.feed(Elapsed{});
    harness.ask(Restart{});
    EXPECT_TRUE(harness.actions().empty());
    EXPECT_FALSE(harness.next_deadline());
}

// If an exit and a deadline are simultaneous, the exit is delivered first and the worker is not killed.
TEST(Supervisor, HandlesAnExitBeforeASimultaneousDeadline) {
    CoreHarness harness = serving({}, 2);
    const Status status = harness.status();
    harness.signal(Stop{});
    harness.advance(35s - 1us);
    const Instant deadline = harness.now() + 1us;
    EXPECT_EQ(harness.next_deadline(), deadline);
    harness.exited(status.workers[0].id);
    harness.exited(status.workers[1].id);
    EXPECT_TRUE(harness.all<Kill>().empty());
}

TEST(Status, ShowsWhyAWorkerLeavesAndUntilWhen) {
    CoreHarness harness = serving({}, 1);
    harness.ask(Restart{});
    harness.serve_all();
    harness.advance(1s);
    const WorkerStatus old = harness.status().workers.at(0);
    EXPECT_EQ(old.why_leaving, "restart asked for by uid 0");
    EXPECT_EQ(old.deadline, harness.now() + 30s);
    EXPECT_EQ(harness.status().detail, "restarting to generation 2: 1 of 1 ready, 1 old left");
}

}  // namespace
}  // namespace holdfast::core::testing
