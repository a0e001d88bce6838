#include "runtime/launch_thread.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "tests/support/blocked_syscall.hpp"
#include "tests/unit/runtime/refused_threads.hpp"

namespace holdfast::runtime {
namespace {

const std::vector<std::string> search_path{"PATH=/usr/bin:/bin"};

// Receives results on any thread and passes them to the test.
class Mailbox {
  public:
    LaunchThread::Deliver receiver() {
        return [this](LaunchResult result) {
            std::lock_guard lock(mutex_);
            results_.push_back(std::move(result));
            changed_.notify_all();
        };
    }
    LaunchResult take() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !results_.empty(); });
        LaunchResult result = std::move(results_.front());
        results_.pop_front();
        return result;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<LaunchResult> results_;
};

LaunchOptions command(std::vector<std::string> words) {
    LaunchOptions options;
    options.command = std::move(words);
    return options;
}

LaunchJob job(std::uint64_t worker, std::uint64_t spec) {
    LaunchJob made;
    made.worker = WorkerId{worker};
    made.spec_id = LaunchSpecId{spec};
    return made;
}

TEST(LaunchThread, ResolvesASpecOnceForAllItsWorkers) {
    Mailbox mailbox;
    LaunchThread launches(command({"true"}), {"PATH=/usr/bin:/bin"}, mailbox.receiver());
    launches.launch(job(1, 1));
    launches.launch(job(2, 1));
    launches.launch(job(3, 2));
    EXPECT_EQ(launches.in_flight(), 3U);
    const LaunchResult first = mailbox.take(), second = mailbox.take(), third = mailbox.take();
    EXPECT_EQ(first.worker, WorkerId{1});
    EXPECT_EQ(first.spec, second.spec);
    EXPECT_NE(first.spec, third.spec);
    for (const auto* result : {&first, &second, &third}) {
        const auto* leader = std::get_if<os::Leader>(&result->outcome);
        ASSERT_NE(leader, nullptr);
        ASSERT_EQ(::waitpid(leader->pid(), nullptr, 0), leader->pid());
        launches.delivered();
    }
    EXPECT_EQ(launches.in_flight(), 0U);
}

TEST(LaunchThread, ReportsTheStageOfAFailure) {
    Mailbox mailbox;
    LaunchThread launches(command({"./no-such-program"}), {}, mailbox.receiver());
    launches.launch(job(1, 1));
    const LaunchResult result = mailbox.take();
    const auto* failure = std::get_if<os::LaunchFailure>(&result.outcome);
    ASSERT_NE(failure, nullptr);
    EXPECT_EQ(os::describe(*failure), "cannot execute ./no-such-program: No such file or directory");
}

TEST(LaunchThread, FailsALaunchIfNoThreadCanBeStarted) {
    Mailbox mailbox;
    LaunchThread launches(command({"true"}), search_path, mailbox.receiver());
    run_in_thread([&] {
        if (!refuse_new_threads()) GTEST_SKIP() << "system calls cannot be held here";
        launches.launch(job(1, 1));
        const LaunchResult result = mailbox.take();
        EXPECT_EQ(result.worker, WorkerId{1});
        EXPECT_EQ(result.spec_id, LaunchSpecId{1});
        const auto* failure = std::get_if<os::LaunchFailure>(&result.outcome);
        ASSERT_NE(failure, nullptr);
        EXPECT_EQ(os::describe(*failure), "cannot start a thread for the launch: Resource temporarily unavailable");
        EXPECT_EQ(launches.in_flight(), 1U);
    });
    launches.launch(job(2, 1));
    const LaunchResult result = mailbox.take();
    const auto* leader = std::get_if<os::Leader>(&result.outcome);
    ASSERT_NE(leader, nullptr);
    EXPECT_EQ(::waitpid(leader->pid(), nullptr, 0), leader->pid());
}

TEST(LaunchThread, ContinuesBehindAnAbandonedLaunch) {
    Mailbox mailbox;
    LaunchThread launches(command({"true"}), {"PATH=/usr/bin:/bin"}, mailbox.receiver());
    launches.launch(job(1, 1));
    launches.abandon(WorkerId{1});
    launches.launch(job(2, 1));
    // Whether 1 is abandoned in time depends on the scheduler; 2 is launched in any case.
    LaunchResult result = mailbox.take();
    while (result.worker != WorkerId{2}) result = mailbox.take();
    EXPECT_TRUE(std::holds_alternative<os::Leader>(result.outcome));
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
}

// Becomes readable when the process has ended; another process may have the pid by then.
os::UniqueFd pidfd_of(pid_t pid) { return os::UniqueFd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))}; }

bool ends(const os::UniqueFd& pidfd) {
    constexpr int long_enough_ms = 30'000;
    pollfd end{pidfd.get(), POLLIN, 0};
    return ::poll(&end, 1, long_enough_ms) == 1;
}

TEST(StuckLaunch, IsKilledWhenAbandonedAndByTheDestructor) {
    run_in_thread([] {
        const BlockedSyscall execution(SYS_execve);
        if (!execution) GTEST_SKIP() << "system calls cannot be held here";
        Mailbox mailbox;
        auto launches = std::make_unique<LaunchThread>(command({"true"}), search_path, mailbox.receiver());
        launches->launch(job(1, 1));
        launches->launch(job(2, 1));
        const os::UniqueFd first = pidfd_of(execution.wait_until_called());
        launches->abandon(WorkerId{1});
        EXPECT_TRUE(ends(first));
        EXPECT_EQ(launches->in_flight(), 1U);
        const os::UniqueFd second = pidfd_of(execution.wait_until_called());
        launches.reset();
        EXPECT_TRUE(ends(second));
    });
}

TEST(StuckLaunch, KillsAProcessThatWasStartedAllTheSame) {
    run_in_thread([] {
        constexpr int filtered_bit = 512;  // of numbers of descriptors whose close() blocks
        auto close = std::make_optional<BlockedSyscall>(SYS_close, filtered_bit);
        if (!*close) GTEST_SKIP() << "system calls cannot be held here";
        Mailbox mailbox;
        LaunchThread launches(command({"sleep", "1000"}), search_path, mailbox.receiver());
        LaunchJob stuck = job(1, 1);
        stuck.worker_side.emplace_back(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, filtered_bit));
        ASSERT_TRUE(stuck.worker_side.front());
        launches.launch(std::move(stuck));
        close->wait_until_called();  // after the process has executed the command
        launches.abandon(WorkerId{1});
        EXPECT_EQ(launches.in_flight(), 0U);
        close.reset();
        int status = 0;
        ASSERT_GT(::waitpid(-1, &status, 0), 0);
        EXPECT_TRUE(WIFSIGNALED(status));
    });
}

TEST(StuckLaunch, OccupiesALimitedNumberOfThreads) {
    run_in_thread([] {
        auto start = std::make_optional<BlockedSyscall>(SYS_clone, CLONE_VFORK);
        if (!*start) GTEST_SKIP() << "system calls cannot be held here";
        Mailbox mailbox;
        LaunchThread launches(command({"true"}), search_path, mailbox.receiver());
        const auto answer_to = [&](std::uint64_t worker) {
            launches.launch(job(worker, 1));
            const LaunchResult result = mailbox.take();
            launches.delivered();
            const auto* failure = std::get_if<os::LaunchFailure>(&result.outcome);
            return failure != nullptr ? failure->error_number : 0;
        };
        std::uint64_t worker = 0;
        while (worker < LaunchThread::max_stuck_threads) {
            launches.launch(job(++worker, 1));
            start->wait_until_called();
            launches.abandon(WorkerId{worker});
        }
        EXPECT_EQ(launches.in_flight(), 0U);
        EXPECT_EQ(answer_to(++worker), EAGAIN);
        start.reset();  // the stuck threads come back, and a new one can be started: clone(2) fails there
        int error = EAGAIN;
        while (error == EAGAIN) error = answer_to(++worker);
        EXPECT_EQ(error, ENOSYS);
    });
}

}  // namespace
}  // namespace holdfast::runtime
