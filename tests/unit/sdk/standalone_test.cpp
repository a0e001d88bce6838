#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <holdfast/worker.hpp>
#include <latch>
#include <stdexcept>
#include <thread>

#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

struct Standalone : ::testing::Test {
    ~Standalone() override {
        ::unsetenv("HOLDFAST_GRACE_PERIOD");
        ::unsetenv("HOLDFAST_CANCEL_PERIOD");
    }
};

TEST_F(Standalone, SigtermDrains) {
    Worker worker;
    bool closed = false;
    worker.close_last("pool", [&] { closed = true; });
    worker.ready();
    EXPECT_FALSE(worker.is_supervised());
    ::raise(SIGTERM);
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_TRUE(closed);
    EXPECT_TRUE(worker.draining());
}

TEST_F(Standalone, SigintDrainsWithTheGracePeriodOfTheEnvironment) {
    ::setenv("HOLDFAST_GRACE_PERIOD", "2h", 1);
    Worker worker;
    Request request = worker.begin_request("GET /");
    worker.ready();
    const auto before = Worker::Clock::now();
    ::raise(SIGINT);
    ASSERT_TRUE(eventually([&] { return worker.deadline().has_value(); }));
    EXPECT_GE(*worker.deadline(), before + std::chrono::hours(2));
    EXPECT_LE(*worker.deadline(), Worker::Clock::now() + std::chrono::hours(2));
    request.end();
    EXPECT_EQ(worker.wait(), 0);
}

TEST_F(Standalone, PeriodsOutOfRangeAreLimited) {
    ::setenv("HOLDFAST_GRACE_PERIOD", "4000000000h", 1);
    Worker worker({.cancel_period = std::chrono::milliseconds::min()});
    Request request = worker.begin_request("GET /");
    worker.ready();
    ::raise(SIGTERM);
    ASSERT_TRUE(eventually([&] { return worker.deadline().has_value(); }));
    EXPECT_GT(*worker.deadline(), Worker::Clock::now() + std::chrono::hours(24));
    request.end();
    EXPECT_EQ(worker.wait(), 0);
}

TEST_F(Standalone, TwoSignalsInQuickSuccessionCountAsOne) {
    Worker worker;
    std::atomic<bool> cancelled = false;
    worker.on_cancel([&] { cancelled = true; });
    Request request = worker.begin_request("GET /");
    worker.ready();
    ::raise(SIGTERM);
    ASSERT_TRUE(eventually([&] { return worker.draining(); }));
    ::raise(SIGTERM);
    request.end();
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_FALSE(cancelled);
}

TEST_F(Standalone, ALaterSecondSignalCancels) {
    Worker worker;
    std::latch cancelled(1);
    Request request = worker.begin_request("GET /");
    worker.on_cancel([&] {
        request.end();
        cancelled.count_down();
    });
    worker.ready();
    ::raise(SIGTERM);
    ASSERT_TRUE(eventually([&] { return worker.deadline().has_value(); }));
    const auto first = Worker::Clock::now();
    ASSERT_TRUE(eventually([&] { return Worker::Clock::now() > first + std::chrono::milliseconds(1100); }));
    ::raise(SIGTERM);
    cancelled.wait();
    EXPECT_EQ(worker.wait(), 3);
}

TEST_F(Standalone, EndOfTheGracePeriodCancelsAndReportsWhatIsHeld) {
    ::setenv("HOLDFAST_GRACE_PERIOD", "30ms", 1);
    ::setenv("HOLDFAST_CANCEL_PERIOD", "30ms", 1);
    EXPECT_EXIT(
        {
            Worker worker;
            const Request request = worker.begin_request("GET /\x1bstuck");
            worker.start_task("deaf", [](const std::stop_token&) { std::latch(1).wait(); });
            worker.ready();
            ::raise(SIGTERM);
            worker.wait();  // ~Worker ends the process, because the task is still running
        },
        ::testing::ExitedWithCode(3),
        "the last deadline has passed; this is still held:\nholdfast:   stage cancel, 0.0 s left; held: 1 request, 1 "
        "task; served 0\nholdfast:     request GET /.x1bstuck \\(0..? s\\)\nholdfast:     "
        "task deaf");
}

TEST_F(Standalone, LastDeadlineEndsAProcessThatIsNotInWait) {
    ::setenv("HOLDFAST_GRACE_PERIOD", "30ms", 1);
    ::setenv("HOLDFAST_CANCEL_PERIOD", "30ms", 1);
    EXPECT_EXIT(
        {
            Worker worker;
            const Request request = worker.begin_request("GET /");
            worker.ready();
            ::raise(SIGTERM);
            std::latch(1).wait();
        },
        ::testing::ExitedWithCode(3), "request GET /");
}

// Runs the worker until it ends, with SIGTERM blocked before it existed.
[[noreturn]] void drain_with_blocked_signals(WorkerOptions::Drive drive) {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    Worker worker({.drive = drive});
    worker.ready();
    ::kill(::getpid(), SIGTERM);
    std::_Exit(worker.wait());
}

TEST_F(Standalone, SignalThatWasBlockedBeforeDrains) {
    EXPECT_EXIT(drain_with_blocked_signals(WorkerOptions::Drive::helper_thread), ::testing::ExitedWithCode(0), "");
    EXPECT_EXIT(drain_with_blocked_signals(WorkerOptions::Drive::dispatch), ::testing::ExitedWithCode(0), "");
}

// Whatever main() does after wait() can be ended as usual.
[[noreturn]] void raise_after_the_release(WorkerOptions::Drive drive) {
    Worker worker({.drive = drive});
    worker.ready();
    worker.stop();
    worker.wait();
    ::raise(SIGTERM);
    std::_Exit(0);
}

TEST_F(Standalone, SignalsHaveTheirEffectAgainAfterTheRelease) {
    EXPECT_EXIT(raise_after_the_release(WorkerOptions::Drive::helper_thread), ::testing::KilledBySignal(SIGTERM), "");
    EXPECT_EXIT(raise_after_the_release(WorkerOptions::Drive::dispatch), ::testing::KilledBySignal(SIGTERM), "");
}

TEST_F(Standalone, InvalidDurationIsReportedByName) {
    ::setenv("HOLDFAST_GRACE_PERIOD", "soon", 1);
    EXPECT_THAT(misuse([] { Worker worker; }), HasSubstr("HOLDFAST_GRACE_PERIOD takes a duration"));
}

TEST_F(Standalone, SignalActionsAreRestored) {
    { Worker worker; }
    struct sigaction action {};
    ::sigaction(SIGTERM, nullptr, &action);
    EXPECT_EQ(action.sa_handler, SIG_DFL);
}

TEST_F(Standalone, IgnoredSignalStaysIgnored) {
    ::signal(SIGINT, SIG_IGN);
    {
        Worker worker;
        ::raise(SIGINT);
        struct sigaction action {};
        ::sigaction(SIGINT, nullptr, &action);
        EXPECT_EQ(action.sa_handler, SIG_IGN);
    }
    ::signal(SIGINT, SIG_DFL);
}

TEST_F(Standalone, BlocksNoSignalInTheProgramsThreads) {
    Worker worker;
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    for (int number = 1; number < SIGRTMIN; ++number) EXPECT_EQ(::sigismember(&mask, number), 0) << number;
    bool blocked_in_callback = true;
    worker.on_drain([&] {
        sigset_t inner;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &inner);
        blocked_in_callback = ::sigismember(&inner, SIGCHLD) != 0;
    });
    worker.stop();
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_FALSE(blocked_in_callback);
}

TEST_F(Standalone, ControlPipeOfAnotherProcessIsNotTouched) {
    FakeSupervisor supervisor;
    ::setenv("HOLDFAST_CONTROL_INODE", "1", 1);
    const Worker worker;
    EXPECT_FALSE(worker.is_supervised());
    EXPECT_NE(::getenv("HOLDFAST_CONTROL_FD"), nullptr);
    EXPECT_TRUE(supervisor.received().empty());
    ::close(supervisor.worker_fd());
}

TEST_F(Standalone, WorkerThatIsDestroyedEarlyJoinsItsTasks) {
    bool ended = false;
    {
        Worker worker;
        worker.start_task("consumer", [&](const std::stop_token& stop) {
            while (!stop.stop_requested()) std::this_thread::yield();
            ended = true;
        });
        worker.ready();
    }
    EXPECT_TRUE(ended);
}

TEST_F(Standalone, RequestMayOutliveTheWorker) {
    Request request;
    {
        Worker worker;
        request = worker.begin_request("GET /");
    }
    request.end();
}

TEST(Misuse, RejectsASecondReady) {
    Worker worker;
    worker.ready();
    EXPECT_THAT(misuse([&] { worker.ready(); }), HasSubstr("cannot call ready() twice"));
}

TEST(Misuse, RejectsACallbackAfterReady) {
    Worker worker;
    worker.ready();
    EXPECT_THAT(misuse([&] { worker.on_drain([] {}); }), HasSubstr("add callbacks before ready()"));
}

TEST(Misuse, RejectsNewHandlesAfterTheRelease) {
    Worker worker;
    worker.stop();
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_THAT(misuse([&] { std::ignore = worker.begin_request("GET /"); }), HasSubstr("cannot begin GET /"));
    EXPECT_THAT(misuse([&] { std::ignore = worker.begin_session("stream"); }), HasSubstr("cannot begin stream"));
    EXPECT_THAT(misuse([&] { worker.start_task("x", [](const std::stop_token&) {}); }), HasSubstr("start the task x"));
    EXPECT_THAT(misuse([&] { worker.close_last("pool", [] {}); }), HasSubstr("add the resource pool"));
}

TEST(Misuse, RejectsASecondWorker) {
    const Worker worker;
    EXPECT_THAT(misuse([] { Worker second; }), HasSubstr("a process can have only one"));
}

TEST(Misuse, RejectsWaitInACallback) {
    Worker worker;
    std::string answer;
    worker.on_drain([&] { answer = misuse([&] { worker.wait(); }); });
    worker.stop();
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_THAT(answer, HasSubstr("call it in main"));
}

}  // namespace
}  // namespace holdfast::testing
