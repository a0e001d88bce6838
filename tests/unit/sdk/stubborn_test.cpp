// Faults and delays of the program must neither cause a release that is too early nor keep the process alive forever.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <holdfast/acceptor.hpp>
#include <holdfast/worker.hpp>
#include <latch>
#include <optional>
#include <thread>

#include "call_recorder.hpp"
#include "supervised_worker.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Stubborn : SupervisedWorker {};

// Stands for a server, which is declared after the worker: it is destroyed first, and waits for what wait() gave up on.
struct BlocksInItsDestructor {
    ~BlocksInItsDestructor() { std::latch(1).wait(); }
};

TEST(StubbornStandalone, DestructorsCannotBlockTheProcessAfterWaitGaveUp) {
    EXPECT_EXIT(
        {
            Worker worker(
                {.grace_period = 10ms, .cancel_period = 10ms, .give_up = WorkerOptions::GiveUp::return_status});
            const Request request = worker.begin_request("GET /");
            const BlocksInItsDestructor server;
            worker.ready();
            worker.stop();
            worker.wait();
        },
        ::testing::ExitedWithCode(3), "has not exited one second after wait.. gave up");
}

// Stands for a pool that a task still uses.
struct EndsTheProcess {
    ~EndsTheProcess() { std::_Exit(139); }
};

TEST(StubbornStandalone, WaitThatGivesUpEndsTheProcessBeforeAnythingIsDestroyed) {
    EXPECT_EXIT(
        {
            Worker worker({.grace_period = 10ms, .cancel_period = 10ms});
            const EndsTheProcess pool;
            worker.start_task("deaf", [](const std::stop_token&) { std::latch(1).wait(); });
            worker.ready();
            worker.stop();
            worker.wait();
        },
        ::testing::ExitedWithCode(3), "the last deadline has passed.*\n.*1 task");
}

TEST(StubbornStandalone, WaitThatGivesUpEndsAnEventLoopToo) {
    EXPECT_EXIT(
        {
            Worker worker({.grace_period = 10ms, .cancel_period = 10ms, .drive = WorkerOptions::Drive::dispatch});
            const Request request = worker.begin_request("GET /");
            const EndsTheProcess pool;
            worker.ready();
            worker.stop();
            worker.wait();
        },
        ::testing::ExitedWithCode(3), "the last deadline has passed");
}

TEST(StubbornStandalone, TasksCanBeKilledBySignalsOnceTheWorkerIgnoresThem) {
    EXPECT_EXIT(
        {
            std::thread([] {
                for (;;) {
                    struct sigaction action {};
                    ::sigaction(SIGTERM, nullptr, &action);
                    if (action.sa_handler == SIG_DFL) ::raise(SIGTERM);
                    std::this_thread::yield();
                }
            }).detach();
            Worker worker;
            worker.start_task("deaf", [](const std::stop_token&) { std::latch(1).wait(); });
            worker.ready();
        },
        ::testing::KilledBySignal(SIGTERM), "");
}

TEST(StubbornStandalone, PeriodsBeyondTheRangeOfNumbersAreLong) {
    ::setenv("HOLDFAST_GRACE_PERIOD", "99999999999999999999999ms", 1);
    Worker worker;
    ::unsetenv("HOLDFAST_GRACE_PERIOD");
    worker.ready();
    const Request request = worker.begin_request("GET /");
    worker.stop();
    ASSERT_TRUE(eventually([&] { return worker.deadline().has_value(); }));
    EXPECT_GT(*worker.deadline(), Worker::Clock::now() + 24h);
}

TEST(StubbornStandalone, HealthAtAUnixPathIsRejected) {
    EXPECT_THAT(misuse([] { const Worker worker({.health = "unix:/tmp/health"}); }),
                HasSubstr("use an address with a port"));
}

// The resources that tasks use may be closed already, so no further task is started.
TEST_F(Stubborn, TasksAreNotStartedAfterTheirResourcesAreClosed) {
    std::latch may_close(1);
    worker.resource("pool", recorder.callback("pool closed")).used_by(tasks);
    worker.resource("hanging", [&] { may_close.wait(); }).within(1ms);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain, 1h);
    ASSERT_TRUE(eventually([&] { return !recorder.lines().empty(); }));
    EXPECT_THAT(misuse([&] { worker.start_task("late", [](const std::stop_token&) {}); }),
                HasSubstr("cannot start the task late"));
    may_close.count_down();
    EXPECT_EQ(waiter.status(), 3);
}

TEST_F(Stubborn, AcceptorsAreRejectedWithAMessageAfterReady) {
    Listener listener = worker.listen("http", "127.0.0.1:0");
    worker.ready();
    EXPECT_THAT(misuse([&] { const Acceptor late(worker, std::move(listener), [](int, Session) {}); }),
                HasSubstr("add callbacks before ready()"));
}

// The objects that a close owns are destroyed before the resources that depend on it are closed.
TEST_F(Stubborn, ClosesDestroyWhatTheyOwn) {
    auto pool = std::make_shared<int>();
    const std::weak_ptr<int> alive = pool;
    Resource log = worker.resource("log", [&] { recorder.record(alive.expired() ? "pool gone" : "pool alive"); });
    log.used_by(worker.resource("pool", [owned = std::move(pool)] {}));
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("pool gone"));
}

// Sessions without a period of their own have time until the end of the stage.
TEST_F(Stubborn, SessionsDelayOnlyWhatSessionsUseAfterTheCancel) {
    Session session = worker.begin_session("stream");
    worker.resource("pool", recorder.callback("pool closed")).used_by(requests);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_THAT(recorder.lines(), ElementsAre());
    supervisor.send_stage(Stage::cancel);
    ASSERT_TRUE(eventually([&] { return !recorder.lines().empty(); }));
    EXPECT_FALSE(waiter.is_over());
    session.end();
    EXPECT_EQ(waiter.status(), 3);
}

TEST_F(Stubborn, SessionsThatBeginWhenTheDrainIsTakenBackAreNotAskedToLeave) {
    std::optional<Session> accepted;
    const Request request = worker.begin_request("GET /");
    worker.on_run([&] { accepted = worker.begin_session("connection"); });
    worker.ready();
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    supervisor.send_stage(Stage::run);
    supervisor.wait_for(accepts);
    EXPECT_FALSE(accepted->stop_token().stop_requested());
}

TEST_F(Stubborn, CallbacksThatHangAreReported) {
    std::latch may_end(1);
    worker.on_drain([&] { may_end.wait(); });
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(names("callback drain"));
    may_end.count_down();
    EXPECT_EQ(waiter.status(), 0);
}

// The objects that cancel callbacks use still exist when wait() returns.
TEST_F(Stubborn, CancelCallbacksAreWaitedFor) {
    std::latch begun(1), may_end(1);
    worker.on_cancel([&] {
        begun.count_down();
        may_end.wait();
    });
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::cancel);
    begun.wait();
    supervisor.wait_for(names("callback cancel"));
    EXPECT_FALSE(waiter.is_over());
    may_end.count_down();
    EXPECT_EQ(waiter.status(), 0);
}

TEST(StubbornEventLoop, ThatHasEndedDoesNotBlockTheWorker) {
    FakeSupervisor supervisor;
    std::function<void()> never_run;
    {
        Worker worker({.post = [&](auto function) { never_run = std::move(function); }});
        worker.on_drain([] {});
        worker.ready();
        supervisor.send_stage(Stage::drain);
        supervisor.wait_for(names("callback drain"));
    }
    never_run();  // too late: has no effect
}

struct StubbornDispatch : ::testing::Test {
    FakeSupervisor supervisor;
    CallRecorder recorder;
    Worker worker{WorkerOptions{.drive = WorkerOptions::Drive::dispatch}};
};

TEST_F(StubbornDispatch, ClosesThatExceedTheirTimeoutAreAFailureWithDispatch) {
    worker
        .close_last("pool",
                    [] {
                        const auto begun = Worker::Clock::now();
                        while (Worker::Clock::now() < begun + 5ms) continue;
                    })
        .within(1ms);
    worker.ready();
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(worker.wait(), 3);
}

TEST_F(StubbornDispatch, ClosesMayOwnObjectsThatCallTheWorker) {
    const auto asks = [this](void*) { recorder.record(std::to_string(worker.report().resources)); };
    worker.close_last("pool", [owned = std::shared_ptr<void>(nullptr, asks)] {});
    worker.ready();
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("1"));
}

TEST(StubbornStandaloneDispatch, StopBeforeReadyTakesEffectInWait) {
    Worker worker({.drive = WorkerOptions::Drive::dispatch});
    worker.stop();
    EXPECT_EQ(worker.wait(), 0);
}

}  // namespace
}  // namespace holdfast::testing
