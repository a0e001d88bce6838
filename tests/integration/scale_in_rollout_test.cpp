// One change at a time: a scale that is requested during a restart waits for the end of the restart, and the latest
// scale wins.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operations.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

// The client of the earlier scale is told that it was superseded; no worker is launched for it.
TEST(ScaleInARollout, ToEightAndThenToOneEndsWithOne) {
    Gate gate;
    SupervisorProcess run(quick_service(2, hello_except("2.*", gate.wait_command())));
    run.wait_until_serving();
    Clients clients(run.address());
    const auto restart = run.start_command("restart");
    run.wait_for("worker_spawned", of_worker("2.1"));
    const auto to_eight = run.start_command("scale", {"8"});
    wait_for_status(run, "1 request queued behind it");  // a queued request causes no event
    const auto to_one = run.start_command("scale", {"1"});
    run.wait_for("request_superseded");
    expect_failed(to_eight->wait(), {"superseded by a later request"});
    clients.wait_for_more();

    gate.open();
    expect_done(restart->wait());
    expect_done(to_one->wait());
    EXPECT_EQ(run.log().await_count(2U, "worker_launching", of_generation(2)), 2U);
    run.wait_for("scale_done", with_text("scaled from 2 to 1 worker"));
    EXPECT_THAT(clients.expect_nothing_lost(), testing::Contains(2U));
    expect_clean_stop(run);
}

// The service is scaled up after the restart, and down after the next one.
TEST(ScaleInARollout, IsCarriedOutAfterTheRestart) {
    Gate gate, next_gate;
    SupervisorProcess run(
        quick_service(2, hello_except("2.*", gate.wait_command() + ";; 3.*) " + next_gate.wait_command())));
    run.wait_until_serving();
    Clients clients(run.address());
    auto restart = run.start_command("restart");
    run.wait_for("worker_spawned", of_worker("2.1"));
    const auto to_eight = run.start_command("scale", {"8"});
    clients.wait_for_more();
    gate.open();
    expect_done(restart->wait());
    expect_done(to_eight->wait());
    EXPECT_EQ(run.log().await_count(8U, "worker_ready", of_generation(2)), 8U);
    EXPECT_GT(run.wait_for("scale_started").index, run.wait_for("rollout_done").index);

    restart = run.start_command("restart");
    run.wait_for("worker_spawned", of_worker("3.7"));
    const auto to_one = run.start_command("scale", {"1"});
    clients.wait_for_more();
    next_gate.open();
    expect_done(restart->wait());
    expect_done(to_one->wait());
    EXPECT_EQ(run.log().await_count(7U, "worker_gone", of_generation(3)), 7U);
    run.wait_for("scale_done", with_text("scaled from 8 to 1 worker"));
    clients.expect_nothing_lost();
    expect_clean_stop(run);
}

}  // namespace
}  // namespace holdfast::test
