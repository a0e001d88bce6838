// The environment of a worker with --watchdog.

#include <gtest/gtest.h>

#include "launch_support.hpp"

namespace holdfast::os {
namespace {

TEST(Watchdog, VariablesAreSetForTheStartedProcess) {
    LaunchPlan plan;
    plan.watchdog_usec = 30'000'000;
    Started worker = start(shell("echo $WATCHDOG_USEC $WATCHDOG_PID $$"), std::move(plan));
    const std::string pid = std::to_string(worker.leader.pid());
    EXPECT_EQ(read_line(worker.output), "30000000 " + pid + " " + pid);
    wait_and_reap(worker.leader);
}

TEST(Watchdog, VariablesAreNotSetWithoutAWatchdog) {
    Started worker = start(shell("echo ${WATCHDOG_USEC-none} ${WATCHDOG_PID-none}"));
    EXPECT_EQ(read_line(worker.output), "none none");
    wait_and_reap(worker.leader);
}

}  // namespace
}  // namespace holdfast::os
