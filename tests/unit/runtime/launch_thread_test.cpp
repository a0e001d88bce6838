#include "runtime/launch_thread.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

namespace holdfast::runtime {
namespace {

// Takes what is delivered, on whatever thread, and gives it to the test.
class Mailbox {
  public:
    LaunchThread::Deliver taker() {
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
    LaunchThread launches(command({"true"}), {"PATH=/usr/bin:/bin"}, mailbox.taker());
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

TEST(LaunchThread, TellsTheStageOfAFailure) {
    Mailbox mailbox;
    LaunchThread launches(command({"./no-such-program"}), {}, mailbox.taker());
    launches.launch(job(1, 1));
    const LaunchResult result = mailbox.take();
    const auto* failure = std::get_if<os::LaunchFailure>(&result.outcome);
    ASSERT_NE(failure, nullptr);
    EXPECT_EQ(os::describe(*failure), "cannot execute ./no-such-program: No such file or directory");
}

TEST(LaunchThread, GoesOnBehindALaunchThatWasAbandoned) {
    Mailbox mailbox;
    LaunchThread launches(command({"true"}), {"PATH=/usr/bin:/bin"}, mailbox.taker());
    launches.launch(job(1, 1));
    launches.abandon(WorkerId{1});
    launches.launch(job(2, 1));
    // Whether 1 was abandoned in time is the scheduler's choice; 2 is launched in any case.
    LaunchResult result = mailbox.take();
    while (result.worker != WorkerId{2}) result = mailbox.take();
    EXPECT_TRUE(std::holds_alternative<os::Leader>(result.outcome));
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
}

}  // namespace
}  // namespace holdfast::runtime
