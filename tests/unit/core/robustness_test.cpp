#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

TEST(Supervisor, IgnoresEventsAboutWorkersThatAreGone) {
    Bench bench = serving({}, 1);
    const WorkerId gone = bench.status().workers.at(0).id;
    bench.exited(gone, 1);
    bench.forget_actions();
    bench.spawned(gone);
    bench.serve(gone);
    bench.feed(SpawnFailed{gone, "execute", 2});
    bench.feed(ChannelLost{gone});
    bench.feed(MainExited{gone, ExitedWith{0}, 1, 1});
    bench.exited(gone, 1);
    EXPECT_TRUE(bench.done().empty());
}

TEST(Supervisor, TakesAnyReportInAnyState) {
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
    Bench bench = serving(policy, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.signal(Stop{});
    const Instant start = bench.now();
    while (!bench.exit_code() && bench.now() < start + 1h) {
        bench.feed(Said{worker, everything});
        Report negative;
        negative.extend_usec = -5;
        bench.feed(Said{worker, negative});
        bench.advance(500ms);
    }
    EXPECT_TRUE(bench.exit_code());
}

TEST(Supervisor, GivesTheSameActionsForTheSameEventsAndSeed) {
    const auto run = [] {
        Bench bench = serving({}, 3);
        for (int i = 0; i < 4; ++i) {
            for (const WorkerStatus& worker : bench.status().workers) bench.exited(worker.id, 1);
            bench.advance(20s);
        }
        std::vector<std::pair<Instant, std::size_t>> trace;
        for (const auto& done : bench.done()) trace.emplace_back(done.at, done.action.index());
        return trace;
    };
    EXPECT_EQ(run(), run());
}

TEST(Supervisor, HasNothingToDoAfterTheEnd) {
    Bench bench = serving({}, 1);
    bench.signal(Stop{});
    bench.exit_all_leaving();
    bench.forget_actions();
    bench.feed(Elapsed{});
    bench.ask(Restart{});
    EXPECT_TRUE(bench.done().empty());
    EXPECT_FALSE(bench.next_deadline());
}

// An exit and a deadline at the same time: the exit is delivered first, and the deadline is no reason to kill.
TEST(Supervisor, LetsAnExitCountBeforeASimultaneousDeadline) {
    Bench bench = serving({}, 2);
    const Status status = bench.status();
    bench.signal(Stop{});
    bench.advance(35s - 1us);
    const Instant deadline = bench.now() + 1us;
    EXPECT_EQ(bench.next_deadline(), deadline);
    bench.exited(status.workers[0].id);
    bench.exited(status.workers[1].id);
    EXPECT_TRUE(bench.all<Kill>().empty());
}

TEST(Status, ShowsWhyAWorkerLeavesAndUntilWhen) {
    Bench bench = serving({}, 1);
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    const WorkerStatus old = bench.status().workers.at(0);
    EXPECT_EQ(old.why_leaving, "restart asked for by uid 0");
    EXPECT_EQ(old.deadline, bench.now() + 30s);
    EXPECT_EQ(bench.status().detail, "restarting to generation 2: 1 of 1 ready, 1 old left");
}

}  // namespace
}  // namespace holdfast::core::testing
