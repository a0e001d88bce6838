// Undo of a restart or a stop in progress: workers that have released nothing accept again, the others are launched
// again with their own program.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Duration of a request that prevents one worker of the first generation from releasing anything; the other worker has
// no request. Long enough for the test on a slow machine.
constexpr int busy_ms = 4000;

TEST(Undo, OfARestartThatIsStillLaunchingDoesNotAffectTheOldWorkers) {
    Gate gate;
    SupervisorProcess run(quick_service(2, hello_except("2.*", gate.wait_command())));
    run.wait_until_serving();
    Clients clients(run.address());
    const auto restart = run.start_command("restart");
    run.wait_for("worker_spawned", of_worker("2.1"));
    clients.wait_for_more();
    expect_done(run.command("undo"));
    expect_failed(restart->wait(), {"undone by", "generation 1 serves with 2 workers"});
    EXPECT_EQ(run.log().count("worker_told", of_generation(1)), 0U);
    EXPECT_THAT(clients.expect_nothing_lost(), ElementsAre(1U));
    expect_clean_stop(run);
}

// One of two old workers has exited; the other one still drains and is brought back.
TEST(Undo, OfACommittedRestartBringsBackAWorkerThatHasReleasedNothing) {
    SupervisorProcess run(quick_service(2, hello_http()));
    run.wait_until_serving();
    BackgroundLoad busy(slow_load(run.address(), 1, busy_ms));
    busy.wait_for_sent(1);
    Clients clients(run.address());
    const auto restart = run.start_command("restart");
    const LogEntry gone = run.wait_for("worker_gone", of_generation(1));
    const std::string stays = gone.worker == "1.0" ? "1.1" : "1.0";
    const pid_t former = run.wait_for("worker_ready", of_worker(stays)).pid;
    clients.wait_for_more();

    expect_done(run.command("undo"));
    expect_failed(restart->wait(), {"undone by", "generation 1 serves with 2 workers"});
    run.wait_for("worker_recalled", of_worker(stays), gone.index);
    EXPECT_EQ(run.log().count("worker_gone", of_worker(stays)), 0U);
    EXPECT_EQ(::kill(former, 0), 0);
    run.wait_for("worker_ready", of_worker(gone.worker), gone.index);
    EXPECT_EQ(run.log().await_count(1U, "worker_launching", any_entry(), gone.index), 1U);
    EXPECT_EQ(run.log().await_count(2U, "worker_gone", of_generation(2)), 2U);
    clients.expect_nothing_lost();
    expect_flawless(busy.wait_for_end());
    expect_clean_stop(run);
}

// All workers continue to serve as lame ducks: not even a new client notices.
TEST(Undo, OfAStopInTheLameDuckStageAffectsNoClient) {
    RunOptions options = quick_service(2, hello_http());
    set_option(options, "--lame-duck", "60s");
    SupervisorProcess run(options);
    run.wait_until_serving();
    Clients clients(run.address());
    const auto stop = run.start_command("stop");
    run.wait_for("stop_started");
    clients.wait_for_more();
    expect_done(run.command("undo"));
    expect_failed(stop->wait(), {"undone by"});
    EXPECT_EQ(run.log().count("worker_gone"), 0U);
    EXPECT_EQ(run.log().await_count(2U, "worker_launching", of_generation(1)), 2U);
    expect_done(run.command("restart"));  // the service works normally
    EXPECT_THAT(clients.expect_nothing_lost(), ElementsAre(1U, 2U));
    const LogEntry restarted = run.wait_for("rollout_done");
    run.signal(SIGQUIT);  // no lame duck
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().count("worker_killed", any_entry(), restarted.index), 0U);
}

// New clients are refused while no worker accepts, as at every stop. After the undo has been answered, none is refused.
TEST(Undo, OfAStopInTheDrainBringsBackOneWorkerAndReplacesTheOther) {
    SupervisorProcess run(quick_service(2, hello_http()));
    run.wait_until_serving();
    BackgroundLoad busy(slow_load(run.address(), 1, busy_ms));
    busy.wait_for_sent(1);
    Clients meanwhile(run.address());
    meanwhile.wait_for_more();
    const auto stop = run.start_command("stop");
    const LogEntry gone = run.wait_for("worker_gone");
    const std::string stays = gone.worker == "1.0" ? "1.1" : "1.0";
    run.wait_for("doors_closed");

    expect_done(run.command("undo"));
    Clients clients(run.address());
    expect_failed(stop->wait(), {"undone by"});
    run.wait_for("doors_opened", any_entry(), gone.index);
    run.wait_for("worker_recalled", of_worker(stays), gone.index);
    run.wait_for("worker_ready", of_worker(gone.worker), gone.index);
    EXPECT_EQ(run.log().await_count(1U, "worker_gone"), 1U);
    meanwhile.expect_only_refusals();
    expect_flawless(busy.wait_for_end());
    EXPECT_THAT(clients.expect_nothing_lost(), ElementsAre(1U));
    expect_clean_stop(run);
}

TEST(Undo, IsRefusedWithAReasonIfNoChangeIsInProgress) {
    SupervisorProcess run(quick_service(1, hello_http()));
    run.wait_until_serving();
    expect_failed(run.command("undo"), {"cannot undo", "neither a restart nor a stop is under way"});
    expect_clean_stop(run);
}

}  // namespace
}  // namespace holdfast::test
