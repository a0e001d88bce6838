#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <holdfast/worker.hpp>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "call_recorder.hpp"
#include "supervised_worker.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

bool is_stopping(const Report& report) { return report.stopping; }

void wait_for_stop(const std::stop_token& stop) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, stop, [] { return false; });
}

struct TaskTest : SupervisedWorker {};

TEST_F(TaskTest, StartsAtReady) {
    std::atomic<bool> is_running = false;
    std::atomic<bool> may_run = false;
    worker.start_task("consumer", [&](const std::stop_token& stop) {
        EXPECT_TRUE(may_run);
        is_running = true;
        wait_for_stop(stop);
    });
    EXPECT_EQ(worker.report().tasks, 0U);
    may_run = true;
    worker.ready();
    EXPECT_TRUE(eventually([&] { return is_running.load(); }));
    EXPECT_EQ(worker.report().tasks, 1U);
}

TEST_F(TaskTest, StartsAtOnceIfItIsAWarmUp) {
    std::latch is_warm(1);
    worker.start_task("warm-up", [&](const std::stop_token&) { is_warm.count_down(); },
                      {.start = TaskOptions::Start::now, .need = TaskOptions::Need::finite});
    is_warm.wait();
    worker.ready();
}

TEST_F(TaskTest, StartsAtOnceAfterReady) {
    worker.ready();
    std::latch is_running(1);
    worker.start_task("late", [&](const std::stop_token&) { is_running.count_down(); });
    is_running.wait();
}

// The worker is the first object of main() and ends last: what the task would use is gone when it ends.
TEST(TaskAlone, IsDiscardedIfMainFailsBeforeReady) {
    Worker worker;
    {
        auto pool = std::make_unique<int>(1);
        worker.start_task("consumer", [&pool](const std::stop_token&) { *pool += 1; });
        pool.reset();
    }
}

TEST_F(TaskTest, StopsTheWorkerIfAnExceptionLeavesIt) {
    worker.start_task("consumer", [](const std::stop_token&) { throw std::runtime_error("no broker"); });
    ::testing::internal::CaptureStderr();
    worker.ready();
    supervisor.wait_for(is_stopping);
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 3);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                HasSubstr("the task consumer ended by an exception: no broker; the worker stops"));
    EXPECT_THAT(worker.report().failed, ElementsAre("the task consumer ended by an exception: no broker"));
    EXPECT_THAT(worker.report().text(), HasSubstr("failed: the task consumer ended by an exception: no broker"));
}

TEST_F(TaskTest, MayFailWithoutAStopIfTheProgramSaysSo) {
    std::latch may_throw(1);
    const auto throws = [&](const std::stop_token&) {
        may_throw.wait();
        throw 1;
    };
    worker.start_task("cache", throws, {.on_exception = TaskOptions::OnException::ignore});
    worker.ready();
    supervisor.wait_for(accepts);
    may_throw.count_down();
    ASSERT_TRUE(eventually([&] { return !worker.report().failed.empty(); }));
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for([](const Report& report) {
        EXPECT_FALSE(report.stopping);
        return report.drained;
    });
    EXPECT_EQ(worker.wait(), 3);
}

TEST(TaskAlone, AbortsTheProcessIfTheProgramSaysSo) {
    EXPECT_EXIT(
        {
            Worker worker;
            worker.start_task("ledger", [](const std::stop_token&) { throw std::runtime_error("corrupt"); },
                              {.on_exception = TaskOptions::OnException::abort});
            worker.ready();
            worker.wait();
        },
        ::testing::KilledBySignal(SIGABRT), "");
}

TEST_F(TaskTest, IsNamedIfItReturnsEarly) {
    ::testing::internal::CaptureStderr();
    worker.start_task("consumer", [](const std::stop_token&) {});
    worker.start_task("warm-up", [](const std::stop_token&) {}, {.need = TaskOptions::Need::finite});
    worker.ready();
    ASSERT_TRUE(eventually([&] { return worker.report().tasks == 0; }));
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(),
              "holdfast: the task consumer returned before it was asked to stop\n");
}

TEST_F(TaskTest, StopsTheWorkerIfItIsRequiredAndReturnsEarly) {
    worker.start_task("replicator", [](const std::stop_token&) {}, {.need = TaskOptions::Need::required});
    worker.ready();
    supervisor.wait_for(is_stopping);
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 3);
    EXPECT_THAT(worker.report().failed, Contains(HasSubstr("the task replicator returned")));
}

// A consumer that counts its jobs as requests.
TEST_F(TaskTest, MayBeginRequestsUntilItEnds) {
    CallRecorder closes;
    std::latch is_asked(1);
    worker.start_task("consumer", [&](const std::stop_token& stop) {
        wait_for_stop(stop);
        is_asked.count_down();
        for (int job = 0; job < 100; ++job) {
            const Request request = worker.begin_request("job");
            EXPECT_THAT(closes.lines(), ElementsAre());
        }
    });
    worker.resource("pool", closes.callback("closed")).used_by(requests);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    is_asked.wait();
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(closes.lines(), ElementsAre("closed"));
    EXPECT_EQ(worker.report().served, 100U);
    EXPECT_THAT(misuse([&] { (void)worker.begin_request("late"); }), HasSubstr("cannot begin late"));
}

// Two consumers that count their jobs as requests: there is always one in flight.
TEST_F(TaskTest, IsAskedToStopAlthoughTheTasksThemselvesKeepRequestsInFlight) {
    std::counting_semaphore<> first_begins(0);
    std::counting_semaphore<> second_begins(1);
    const auto consume = [this](std::counting_semaphore<>& own, std::counting_semaphore<>& other) {
        return [this, &own, &other](const std::stop_token& stop) {
            const std::stop_callback wake(stop, [&own] { own.release(); });
            std::optional<Request> job;
            while (!stop.stop_requested()) {
                own.acquire();
                job = worker.begin_request("job");  // ends the former one, when the other task holds one
                other.release();
            }
        };
    };
    worker.start_task("first", consume(first_begins, second_begins));
    worker.start_task("second", consume(second_begins, first_begins));
    worker.ready();
    ASSERT_TRUE(eventually([&] { return worker.report().served > 0; }));
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 0);
}

// The last request that a task has begun ends after the task, elsewhere.
TEST_F(TaskTest, MayLeaveARequestBehind) {
    Request left;
    worker.start_task("consumer", [&](const std::stop_token& stop) {
        wait_for_stop(stop);
        left = worker.begin_request("job");
    });
    worker.resource("pool", recorder.callback("closed")).used_by(requests);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for([](const Report& report) { return report.in_flight == 1U && names("request job")(report); });
    ASSERT_TRUE(eventually([&] { return worker.report().tasks == 0; }));
    EXPECT_THAT(recorder.lines(), ElementsAre());
    left.end();
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("closed"));
}

// A request that is left may start a task, so the resources of all tasks stay open.
TEST_F(TaskTest, FindsItsResourcesOpenIfItStartsDuringTheRelease) {
    Request left;
    const Task consumer = worker.start_task("consumer", [&](const std::stop_token& stop) {
        wait_for_stop(stop);
        left = worker.begin_request("job");
    });
    worker.resource("queue", recorder.callback("queue of the consumer closed")).used_by(consumer);
    worker.resource("pool", recorder.callback("pool of all tasks closed")).used_by(tasks);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    ASSERT_TRUE(eventually([&] { return !recorder.lines().empty(); }));
    worker.start_task("follow-up", [&](const std::stop_token&) { recorder.record("followed up"); },
                      {.need = TaskOptions::Need::finite});
    left.end();
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(recorder.lines(),
                ElementsAre("queue of the consumer closed", "followed up", "pool of all tasks closed"));
}

TEST_F(TaskTest, CannotWaitForTheWorker) {
    std::promise<std::string> message;
    worker.start_task("waits", [&](const std::stop_token&) { message.set_value(misuse([&] { worker.wait(); })); },
                      {.need = TaskOptions::Need::finite});
    worker.ready();
    EXPECT_THAT(message.get_future().get(), HasSubstr("cannot wait() in a callback or task"));
}

}  // namespace
}  // namespace holdfast::testing
