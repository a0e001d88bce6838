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

// Crashes until nobody is left and the slot backs off.
void crash_down(Bench& bench) {
    while (!bench.status().workers.empty()) bench.exited(bench.status().workers.at(0).id, 1);
}

Policy patient(Duration queue_for) {
    Policy policy;
    policy.queue_for = queue_for;
    policy.backoff_min = policy.backoff_max = 4s;
    return policy;
}

TEST(Doors, CloseWhenNobodyHasServedForLongEnough) {
    Bench bench = serving(patient(2s), 1);
    crash_down(bench);
    bench.advance(2s - 1us);
    EXPECT_TRUE(doors(bench).empty());
    EXPECT_FALSE(bench.status().refusing);
    bench.advance(1us);
    EXPECT_EQ(doors(bench), std::vector{Doors::refuse});
    EXPECT_TRUE(bench.status().refusing);
    EXPECT_FALSE(bench.status().ready);
    EXPECT_NE(bench.status().detail.find("new clients are refused"), std::string::npos);
    EXPECT_EQ(bench.notes("doors_closed").size(), 1U);
}

TEST(Doors, OpenBeforeEachAttemptAndCloseAtOnceWhenItFails) {
    Bench bench = serving(patient(2s), 1);
    crash_down(bench);
    bench.advance(4s);  // the next attempt
    EXPECT_EQ(doors(bench), (std::vector{Doors::refuse, Doors::accept}));
    EXPECT_FALSE(bench.status().refusing);
    bench.exited(bench.worker(1, 0), 1);
    EXPECT_EQ(doors(bench), (std::vector{Doors::refuse, Doors::accept, Doors::refuse}));
    bench.advance(4s);
    bench.serve_all();
    EXPECT_EQ(doors(bench).back(), Doors::accept);
    EXPECT_TRUE(bench.status().ready);
}

TEST(Doors, WaitAnewAfterSomebodyHasServed) {
    Bench bench = serving(patient(2s), 1);
    crash_down(bench);
    bench.advance(4s);
    bench.serve_all();
    bench.forget_actions();
    crash_down(bench);
    bench.advance(2s - 1us);
    EXPECT_TRUE(doors(bench).empty());
    bench.advance(1us);
    EXPECT_EQ(doors(bench), std::vector{Doors::refuse});
}

TEST(Doors, StayOpenForAWorkerThatStartsHoweverLongItTakes) {
    Bench bench = serving(patient(2s), 1);
    bench.exited(bench.worker(1, 0), 1);
    bench.spawned(bench.worker(1, 0));
    bench.advance(59s);
    EXPECT_TRUE(doors(bench).empty());
    bench.exited(bench.worker(1, 0), 1);
    EXPECT_EQ(doors(bench), std::vector{Doors::refuse});
}

TEST(Doors, StayOpenWhileOneOfTwoServes) {
    Bench bench = serving(patient(2s), 2);
    for (int i = 0; i < 4; ++i) {
        bench.exited(bench.worker(1, 1), 1);
        bench.advance(4s);
    }
    EXPECT_TRUE(doors(bench).empty());
}

TEST(Doors, StayOpenForAnOldWorkerThatDrainsAndCannotSayThatItStopped) {
    Bench bench = serving(patient(2s), 1);
    const WorkerId wrapper = bench.worker(1, 0);
    bench.exited(wrapper, 1);
    const WorkerId mute = bench.worker(1, 0);
    bench.serve_mutely(mute);
    bench.feed(MainExited{mute, ExitedWith{1}, 1, 0});
    crash_down(bench);
    bench.forget_actions();
    EXPECT_TRUE(doors(bench).empty());
}

}  // namespace
}  // namespace holdfast::core::testing
