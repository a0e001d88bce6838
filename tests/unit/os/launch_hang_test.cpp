// A launch that blocks between clone and exec.
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cerrno>
#include <optional>
#include <thread>

#include "launch_support.hpp"
#include "os/process_table.hpp"
#include "tests/support/blocked_syscall.hpp"

namespace holdfast::os {
namespace {

int error_of(const std::variant<Leader, LaunchFailure>& outcome) {
    const auto* failure = std::get_if<LaunchFailure>(&outcome);
    return failure != nullptr ? failure->error_number : 0;
}

TEST(LaunchThatHangs, IsKilledByGiveUp) {
    run_in_thread([] {
        const BlockedSyscall execution(SYS_execve);
        if (!execution) GTEST_SKIP() << "system calls cannot be blocked here";
        const LaunchSpec spec = resolved(command({"/bin/true"}));
        Launcher launcher;
        std::optional<std::variant<Leader, LaunchFailure>> outcome;
        std::thread launch_thread([&] { outcome = launcher.launch(spec, {}); });
        const pid_t child = execution.wait_until_called();
        EXPECT_TRUE(process_status(child).value());
        launcher.give_up();
        launch_thread.join();
        EXPECT_EQ(error_of(*outcome), ECANCELED);
        EXPECT_FALSE(process_status(child).value()) << "it must be reaped";
    });
}

TEST(LaunchThatHangs, LeavesALauncherThatRefusesFurtherLaunches) {
    const LaunchSpec spec = resolved(command({"/bin/true"}));
    Launcher launcher;
    Started before = start(launcher, spec);
    wait_and_reap(before.leader);
    launcher.give_up();
    EXPECT_EQ(error_of(launcher.launch(spec, {})), ECANCELED);
}

}  // namespace
}  // namespace holdfast::os
