#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <holdfast/worker.hpp>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "call_recorder.hpp"
#include "supervised_worker.hpp"

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;

struct Supervised : SupervisedWorker {
    void note_stages() {
        worker.on_lame_duck(recorder.callback("lame-duck"));
        worker.on_pause(recorder.callback("pause"));
        worker.on_run(recorder.callback("run"));
        worker.on_drain(recorder.callback("drain"));
        worker.on_cancel(recorder.callback("cancel"));
    }
};

TEST_F(Supervised, WorkerSendsHelloAtOnce) {
    const Report hello = supervisor.wait_for([](const Report& report) { return report.hello; });
    EXPECT_TRUE(hello.sdk.starts_with("cpp/"));
    ASSERT_TRUE(hello.stages.has_value());
    for (Stage stage : {Stage::lame_duck, Stage::drain, Stage::cancel}) EXPECT_TRUE(hello.stages->has(stage));
    EXPECT_TRUE(worker.is_supervised());
}

TEST_F(Supervised, WorkerRemovesTheControlPipeFromTheEnvironment) {
    EXPECT_EQ(::getenv("HOLDFAST_CONTROL_FD"), nullptr);
    EXPECT_EQ(::getenv("HOLDFAST_CONTROL_INODE"), nullptr);
    EXPECT_EQ(::fcntl(supervisor.worker_fd(), F_GETFD), FD_CLOEXEC);
}

TEST_F(Supervised, WorkerSendsReadyWithItsCounts) {
    { const Request request = worker.begin_request("warm-up"); }
    worker.ready();
    const Report ready = supervisor.wait_for([](const Report& report) { return report.ready; });
    EXPECT_EQ(ready.accepting, true);
    EXPECT_EQ(ready.in_flight, 0U);
    EXPECT_EQ(ready.served, 1U);
}

TEST_F(Supervised, DrainReleasesInOrder) {
    note_stages();
    worker.start_task("consumer", [&](const std::stop_token& stop) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait(lock, stop, [] { return false; });
        recorder.record("task ended");
    });
    worker.close_last("first", recorder.callback("first closed"));
    worker.close_last("second", recorder.callback("second closed"));
    Request request = worker.begin_request("GET /report");
    worker.ready();
    Waiter waiter(worker);
    EXPECT_FALSE(worker.draining());

    supervisor.send_stage(Stage::drain);
    const Report report = supervisor.wait_for(has_stopped_accepting);
    EXPECT_TRUE(worker.draining());
    EXPECT_EQ(report.in_flight, 1U);
    ASSERT_EQ(report.waiting->size(), 4U);
    EXPECT_EQ(report.waiting->at(0).kind + " " + report.waiting->at(0).name, "request GET /report");
    EXPECT_EQ(report.waiting->at(1).kind + " " + report.waiting->at(1).name, "task consumer");
    EXPECT_EQ(report.waiting->at(2).kind + " " + report.waiting->at(2).name, "resource second");
    EXPECT_THAT(recorder.lines(), ElementsAre("drain"));
    EXPECT_FALSE(waiter.is_over());

    request.end();
    supervisor.wait_for(is_releasing);
    const Report last = supervisor.wait_for(is_drained);
    EXPECT_EQ(last.served, 1U);
    EXPECT_TRUE(last.waiting->empty());
    EXPECT_EQ(waiter.status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("drain", "task ended", "second closed", "first closed"));
}

TEST_F(Supervised, NothingIsReleasedWhileASessionIsOpen) {
    worker.close_last("pool", recorder.callback("closed"));
    Session session = worker.begin_session("idle connection");
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    const Report report = supervisor.wait_for(has_stopped_accepting);
    EXPECT_EQ(report.in_flight, 0U);
    EXPECT_EQ(report.waiting->front().kind, "session");
    EXPECT_TRUE(recorder.lines().empty());
    session.end();
    EXPECT_EQ(waiter.status(), 0);
}

TEST_F(Supervised, DrainIsReportedEverySecond) {
    Request request = worker.begin_request("slow");
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    const auto ages = [&] {
        return supervisor.wait_for([](const Report& report) { return report.in_flight == 1U; })
            .waiting->front()
            .age_usec;
    };
    const auto first = ages();
    const auto second = ages();
    EXPECT_GT(second - first, 500'000);
    EXPECT_LT(second - first, 10'000'000);
    request.end();
    EXPECT_EQ(waiter.status(), 0);
}

TEST_F(Supervised, PauseIsTakenBackByRun) {
    note_stages();
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::pause);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_FALSE(worker.draining());
    supervisor.send_stage(Stage::run);
    supervisor.wait_for(accepts);
    EXPECT_THAT(recorder.lines(), ElementsAre("pause", "run"));
    EXPECT_FALSE(worker.deadline().has_value());
}

TEST_F(Supervised, LameDuckStillAcceptsAndIsTakenBackByRun) {
    note_stages();
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::lame_duck);
    ASSERT_TRUE(eventually([&] { return recorder.lines().size() == 1; }));
    supervisor.send_stage(Stage::run);
    const Report answer = supervisor.wait_for([](const Report& report) { return report.accepting.has_value(); });
    EXPECT_EQ(answer.accepting, true);
    EXPECT_THAT(recorder.lines(), ElementsAre("lame-duck", "run"));
}

TEST_F(Supervised, LameDuckAcceptsThoughItFollowsAPauseBeforeRunWasReached) {
    std::promise<void> begun;
    std::promise<void> proceed;
    worker.on_pause([&] {
        begun.set_value();
        proceed.get_future().wait();
    });
    note_stages();
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::pause);
    begun.get_future().wait();
    supervisor.send_stage(Stage::run);
    supervisor.send_stage(Stage::lame_duck);
    EXPECT_TRUE(eventually([&] { return worker.report().stage == Stage::lame_duck; }));
    proceed.set_value();
    EXPECT_TRUE(eventually([&] { return recorder.lines().size() == 3; }));
    EXPECT_THAT(recorder.lines(), ElementsAre("pause", "run", "lame-duck"));
    const Report answer = supervisor.wait_for([](const Report& report) { return report.accepting.has_value(); });
    EXPECT_EQ(answer.accepting, true);
}

TEST_F(Supervised, RunIsAnsweredEvenIfThereIsNothingToUndo) {
    note_stages();
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::run);
    supervisor.wait_for(accepts);
    EXPECT_TRUE(recorder.lines().empty());
}

TEST_F(Supervised, DrainIsTakenBackWhileNothingIsReleased) {
    note_stages();
    Request request = worker.begin_request("GET /");
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    supervisor.send_stage(Stage::run);
    supervisor.wait_for(accepts);
    EXPECT_FALSE(worker.draining());
    request.end();
    const Request another = worker.begin_request("GET /again");
    EXPECT_THAT(recorder.lines(), ElementsAre("drain", "run"));
}

TEST_F(Supervised, RunIsTooLateAfterTheFirstRelease) {
    note_stages();
    std::latch may_close(1);
    worker.close_last("pool", [&] { may_close.wait(); });
    worker.ready();
    Waiter waiter(worker);
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(is_releasing);
    supervisor.received();
    supervisor.send_stage(Stage::run);
    supervisor.wait_until_read();
    // The worker still sends drain reports, which it would not do if it had taken the drain back.
    const Report next = supervisor.wait_for([](const Report&) { return true; });
    EXPECT_FALSE(next.accepting.has_value());
    EXPECT_EQ(next.waiting->size(), 1U);
    EXPECT_TRUE(worker.draining());
    EXPECT_TRUE(worker.deadline().has_value());
    may_close.count_down();
    EXPECT_EQ(waiter.status(), 0);
    for (const Report& report : supervisor.received()) EXPECT_NE(report.accepting, true);
    EXPECT_THAT(recorder.lines(), ElementsAre("drain"));
}

TEST_F(Supervised, DeadlineMayBeMovedDuringTheRelease) {
    std::latch may_close(1);
    worker.close_last("pool", [&] { may_close.wait(); });
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(is_releasing);
    supervisor.send_stage(Stage::drain, std::chrono::minutes(60));
    EXPECT_TRUE(eventually([&] { return worker.deadline() > Worker::Clock::now() + std::chrono::minutes(30); }));
    may_close.count_down();
    EXPECT_EQ(waiter.status(), 0);
}

TEST_F(Supervised, CancelTakesEffectWhileADrainCallbackHangs) {
    note_stages();
    std::latch abandoned(1);
    worker.on_drain([&] { abandoned.wait(); });
    worker.on_cancel([&] { abandoned.count_down(); });
    worker.ready();
    Waiter waiter(worker);
    const Request stuck = worker.begin_request("stuck");
    supervisor.send_stage(Stage::drain);
    supervisor.send_stage(Stage::cancel);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_EQ(recorder.lines().size(), 2U);
    Request(worker.begin_request("late")).end();
    EXPECT_FALSE(waiter.is_over());
    const_cast<Request&>(stuck).end();
    EXPECT_EQ(waiter.status(), 3);
}

TEST_F(Supervised, CancelAsksTasksToStopImmediately) {
    std::atomic<bool> asked = false;
    worker.start_task("endless", [&](const std::stop_token& stop) {
        const std::stop_callback note(stop, [&] { asked = true; });
        while (!stop.stop_requested()) std::this_thread::yield();
    });
    Request request = worker.begin_request("stuck");
    worker.ready();
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_FALSE(asked);
    supervisor.send_stage(Stage::cancel);
    EXPECT_TRUE(eventually([&] { return asked.load(); }));
}

TEST_F(Supervised, CancelOfAnIdleWorkerIsClean) {
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::cancel);
    EXPECT_EQ(waiter.status(), 0);
}

TEST_F(Supervised, DeadlineComesFromTheSupervisor) {
    Request request = worker.begin_request("GET /");
    worker.ready();
    EXPECT_FALSE(worker.deadline().has_value());
    supervisor.send_command({.stage = Stage::drain, .deadline_usec = 9'000'000'000'000, .kill_usec = {}, .reason = {}});
    ASSERT_TRUE(eventually([&] { return worker.deadline().has_value(); }));
    EXPECT_EQ(worker.deadline()->time_since_epoch(), std::chrono::seconds(9'000'000));
}

TEST_F(Supervised, MalformedCommandsAreIgnored) {
    note_stages();
    worker.ready();
    supervisor.wait_for(accepts);
    for (const char* bytes : {"STAGE=explode", "nonsense", "STAGE=drain\nDEADLINE_USEC=-1", "SUCCESSOR=2.0", ""}) {
        supervisor.send(bytes);
    }
    supervisor.send(std::string(5000, 'x') + "\nSTAGE=drain");
    supervisor.send_stage(Stage::pause);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_THAT(recorder.lines(), ElementsAre("pause"));
    EXPECT_TRUE(worker.is_supervised());
}

TEST_F(Supervised, StageIsDeferredUntilReady) {
    supervisor.send_stage(Stage::drain);
    ASSERT_TRUE(eventually([&] { return worker.draining(); }));
    worker.on_drain(recorder.callback("drain"));
    worker.start_task("late", [](const std::stop_token&) {});
    worker.close_last("pool", recorder.callback("closed"));
    EXPECT_TRUE(recorder.lines().empty());
    worker.ready();
    EXPECT_EQ(Waiter(worker).status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("drain", "closed"));
}

TEST_F(Supervised, EndOfTheSupervisorDrains) {
    note_stages();
    worker.close_last("pool", recorder.callback("closed"));
    worker.ready();
    supervisor.hang_up();
    EXPECT_EQ(Waiter(worker).status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("drain", "closed"));
    EXPECT_FALSE(worker.is_supervised());
}

// The lame duck is for workers that are standalone from the start: here no other worker accepts in its place.
TEST(SupervisorThatHasEnded, LeadsToADrainWithoutALameDuck) {
    FakeSupervisor supervisor;
    CallRecorder recorder;
    Worker worker({.lame_duck = std::chrono::hours(1)});
    worker.on_lame_duck(recorder.callback("lame-duck"));
    worker.on_drain(recorder.callback("drain"));
    worker.ready();
    supervisor.hang_up();
    EXPECT_EQ(Waiter(worker).status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("drain"));
}

TEST_F(Supervised, LastCommandTakesEffectAfterTheSupervisorHasEnded) {
    note_stages();
    worker.ready();
    supervisor.wait_for(accepts);
    Request request = worker.begin_request("GET /");
    supervisor.send_stage(Stage::cancel);
    supervisor.hang_up();
    ASSERT_TRUE(eventually([&] { return recorder.lines().size() == 2; }));
    request.end();
    EXPECT_EQ(Waiter(worker).status(), 3);
}

TEST_F(Supervised, SigtermRequestsAStopFromTheSupervisor) {
    note_stages();
    worker.ready();
    ::raise(SIGTERM);
    supervisor.wait_for([](const Report& report) { return report.stopping; });
    EXPECT_FALSE(worker.draining());
    ::raise(SIGINT);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(Waiter(worker).status(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("drain"));
    for (const Report& report : supervisor.received()) EXPECT_FALSE(report.stopping);
}

TEST_F(Supervised, StopRequestsAStopFromTheSupervisor) {
    worker.ready();
    worker.stop();
    supervisor.wait_for([](const Report& report) { return report.stopping; });
}

TEST_F(Supervised, CloseThatThrowsDoesNotStopOthers) {
    worker.close_last("first", recorder.callback("first closed"));
    worker.close_last("bad", [] { throw std::runtime_error("disk full"); });
    worker.ready();
    Waiter waiter(worker);
    ::testing::internal::CaptureStderr();
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 3);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "holdfast: cannot close bad: disk full\n");
    EXPECT_THAT(recorder.lines(), ElementsAre("first closed"));
}

TEST_F(Supervised, ManyThreadsMayServeDuringADrain) {
    std::atomic<bool> end = false;
    std::vector<std::jthread> threads;
    threads.reserve(4);
    worker.ready();
    Waiter waiter(worker);
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            Session session = worker.begin_session("connection");
            while (!end) Request request = worker.begin_request("GET /");
        });
    }
    for (int i = 0; i < 20; ++i) {
        supervisor.send_stage(Stage::drain);
        supervisor.wait_for(has_stopped_accepting);
        supervisor.send_stage(Stage::run);
        supervisor.wait_for(accepts);
    }
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    end = true;
    EXPECT_EQ(waiter.status(), 0);
}

}  // namespace
}  // namespace holdfast::testing
