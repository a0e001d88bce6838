#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

std::vector<Doors> doors(const Bench& bench) {
    std::vector<Doors> found;
    for (const SetDoors& set : bench.all<SetDoors>()) found.push_back(set.doors);
    return found;
}

// Invariant 1, as far as the core decides it.
TEST(Doors, CloseAtTheLastStopOnceTheLastWorkerStoppedAccepting) {
    Bench bench = serving({}, 2);
    const Status status = bench.status();
    bench.signal(Stop{});
    EXPECT_TRUE(doors(bench).empty());
    bench.accepting(status.workers[0].id, false);
    EXPECT_TRUE(doors(bench).empty());
    bench.accepting(status.workers[1].id, false);
    EXPECT_EQ(doors(bench), std::vector{Doors::refuse});
    bench.exit_all_leaving();
    EXPECT_EQ(doors(bench).size(), 1U);
}

TEST(Doors, StayOpenForAMuteWorkerUntilItIsGone) {
    Policy policy;
    policy.workers = 1;
    Bench bench(policy);
    bench.serve_mutely(bench.worker(1, 0));
    bench.signal(Stop{});
    bench.advance(34s);
    EXPECT_EQ(bench.count(WorkerState::cancelling), 1);
    EXPECT_TRUE(doors(bench).empty());
}

TEST(Doors, CloseWhenWhoNeverSaidThatItStoppedIsCancelled) {
    Bench bench = serving({}, 1);
    bench.signal(Stop{});
    bench.advance(29s);
    EXPECT_TRUE(doors(bench).empty());
    bench.advance(1s);
    EXPECT_EQ(doors(bench), std::vector{Doors::refuse});
}

TEST(Doors, StayOpenWhileAWorkerBacksOff) {
    Bench bench = serving({}, 1);
    bench.exited(bench.status().workers.at(0).id, 1);
    bench.exited(bench.worker(1, 0), 1);
    EXPECT_TRUE(bench.status().workers.empty());
    EXPECT_TRUE(doors(bench).empty());
}

TEST(Doors, StayOpenWhileAllArePaused) {
    Bench bench = serving({}, 1);
    bench.ask(Pause{});
    bench.accepting(bench.status().workers.at(0).id, false);
    EXPECT_TRUE(doors(bench).empty());
}

TEST(Doors, CloseAtTargetZeroAndOpenBeforeTheNextLaunch) {
    Bench bench = serving({}, 1);
    bench.ask(Scale{0});
    bench.exit_all_leaving();
    EXPECT_EQ(doors(bench), std::vector{Doors::refuse});
    bench.ask(Scale{1});
    EXPECT_EQ(doors(bench), (std::vector{Doors::refuse, Doors::accept}));
    std::vector<std::size_t> order;
    for (const auto& done : bench.done()) {
        if (std::holds_alternative<SetDoors>(done.action) || std::holds_alternative<Spawn>(done.action)) {
            order.push_back(done.action.index());
        }
    }
    ASSERT_EQ(order.size(), 3U);
    EXPECT_EQ(order.back(), Action{Spawn{}}.index());
}

TEST(Doors, OpenAgainForAWorkerThatIsTakenBack) {
    Bench bench = serving({}, 1);
    const WorkerId worker = bench.status().workers.at(0).id;
    bench.ask(Scale{0});
    bench.accepting(worker, false);
    EXPECT_EQ(doors(bench), std::vector{Doors::refuse});
    bench.ask(Scale{1});
    EXPECT_EQ(doors(bench), (std::vector{Doors::refuse, Doors::accept}));
    EXPECT_EQ(bench.told(worker).back(), Stage::run);
}

}  // namespace
}  // namespace holdfast::core::testing
