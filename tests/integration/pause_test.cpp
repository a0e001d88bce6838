// An operator pauses the whole service: clients wait in the accept queue, and none is lost.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operations.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

void wait_until_both_accept_nothing(SupervisorProcess& run) {
    const std::string status = wait_for_status(run, R"("accepting":false)", {"--json"});
    if (status.find(R"("accepting":true)") != status.npos || status.find(R"("accepting":null)") != status.npos) {
        wait_until_both_accept_nothing(run);
    }
}

TEST(ServicePause, KeepsTheQueueUntilItIsResumed) {
    SupervisorProcess run(short_run(hello_http()));
    run.wait_until_serving();
    BackgroundLoad open(keep_alive_load(run.address()));
    open.wait_for_more(50);
    const CommandResult paused = run.command("pause");
    EXPECT_TRUE(paused.succeeded()) << paused.output;
    wait_until_both_accept_nothing(run);
    EXPECT_THAT(run.command("status").output, HasSubstr("paused"));

    BackgroundLoad waiting(slow_load(run.address(), 16, 0));
    waiting.wait_for_sent(16);
    EXPECT_EQ(waiting.succeeded(), 0U);
    const CommandResult resumed = run.command("resume");
    EXPECT_TRUE(resumed.succeeded()) << resumed.output;
    expect_flawless(waiting.wait_for_end());
    open.wait_for_more(50);
    expect_flawless(open.stop());
    EXPECT_EQ(run.log().count("worker_gone"), 0U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(ServicePause, EndsByItselfAfterMaxPause) {
    RunOptions options = short_run(hello_http());
    options.options.insert(options.options.end(), {"--max-pause", "1s"});
    SupervisorProcess run(options);
    run.wait_until_serving();
    EXPECT_TRUE(run.command("pause").succeeded());
    wait_until_both_accept_nothing(run);
    BackgroundLoad waiting(slow_load(run.address(), 16, 0));
    const LogEntry paused = run.wait_for("service_paused");
    const LogEntry resumed = run.wait_for("service_resumed", with_text("--max-pause"));
    EXPECT_GE(resumed.mono_usec - paused.mono_usec, 1'000'000);
    expect_flawless(waiting.wait_for_end());
    EXPECT_EQ(run.log().count("worker_gone"), 0U);
    EXPECT_FALSE(run.command("resume").succeeded());  // there is nothing to resume
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(ServicePause, IsRefusedIfNoWorkerCanBePaused) {
    RunOptions options = short_run(python_server("socket_server.py"));
    options.options.insert(options.options.end(), {"--ready-when", "alive:100ms"});
    SupervisorProcess run(options);
    run.wait_until_serving();
    const CommandResult paused = run.command("pause");
    EXPECT_FALSE(paused.succeeded());
    EXPECT_THAT(paused.output, HasSubstr("HELLO=1"));
    expect_served(run.address());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(ServicePause, DoesNotPreventAStop) {
    SupervisorProcess run(short_run(hello_http()));
    run.wait_until_serving();
    EXPECT_TRUE(run.command("pause").succeeded());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

}  // namespace
}  // namespace holdfast::test
