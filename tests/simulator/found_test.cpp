// What the simulator found once, each in its smallest form.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/support/fake_world.hpp"

namespace holdfast::testing {

namespace {

using namespace std::chrono_literals;
using core::WorkerState;

constexpr Duration soon = 1min;

bool all_ready(const FakeWorld& world) {
    const core::Status& status = world.status();
    const auto ready = std::count_if(status.workers.begin(), status.workers.end(),
                                     [](const auto& worker) { return worker.state == WorkerState::ready; });
    return status.phase == core::Phase::serving && ready == status.target;
}

std::string first_violation(const FakeWorld& world) {
    return world.violations().empty() ? "" : world.violations().front();
}

core::Request asked(auto what) { return {what, "uid 0"}; }

}  // namespace

TEST(Found, AChannelThatHangsUpDoesNotBringASecondSignal) {
    WorkerScript deaf;  // hears neither drain nor its signal
    deaf.stages = {};
    deaf.loses_channel_after = 5s;
    deaf.drained_after.reset();
    FakeWorld world({}, 1, [&](const core::Spawn&) { return deaf; });
    world.start();
    ASSERT_TRUE(world.run_until([&] { return all_ready(world); }, soon));
    world.ask(asked(core::Stop{}));
    world.advance(10s);
    EXPECT_TRUE(world.workers().front().has_lost_channel);
    EXPECT_EQ(world.workers().front().stop_signals, 1);
    EXPECT_EQ(first_violation(world), "");
}

TEST(Found, AnAttemptThatIsPastLeavesNoDeadlineBehind) {
    FakeWorld world({.workers = 2, .settle = 0s}, 1, [&](const core::Spawn& spawn) {
        WorkerScript script;
        if (spawn.generation.value == 2 && spawn.slot.value == 1) script.launch = Launch::fails;
        return script;
    });
    world.start();
    ASSERT_TRUE(world.run_until([&] { return all_ready(world); }, soon));
    const std::size_t restart = world.ask(asked(core::Restart{}));
    ASSERT_TRUE(world.run_until([&] { return world.asks()[restart].outcome.has_value(); }, soon));
    EXPECT_EQ(world.asks()[restart].outcome->result, core::Outcome::Result::failed);
    world.advance(soon);
    EXPECT_EQ(first_violation(world), "");
}

TEST(Found, DoorsOpenForAWorkerThatIsTakenBack) {
    WorkerScript slow;
    slow.drained_after = 10s;
    FakeWorld world({}, 1, [&](const core::Spawn&) { return slow; });
    world.start();
    ASSERT_TRUE(world.run_until([&] { return all_ready(world); }, soon));
    world.ask(asked(core::Scale{0}));
    world.advance(1s);
    ASSERT_EQ(world.doors(), core::Doors::refuse);
    world.ask(asked(core::Scale{1}));
    world.advance(1s);
    EXPECT_EQ(world.doors(), core::Doors::accept);
    EXPECT_TRUE(all_ready(world));
    EXPECT_EQ(world.workers().size(), 1U);
}

}  // namespace holdfast::testing
