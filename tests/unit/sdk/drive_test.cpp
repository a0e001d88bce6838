// What runs the worker, and on which thread the program's functions run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <condition_variable>
#include <filesystem>
#include <holdfast/worker.hpp>
#include <mutex>
#include <set>
#include <thread>

#include "call_recorder.hpp"
#include "fake_supervisor.hpp"
#include "loop_thread.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A minimal event loop of the program.
int run_loop(Worker& worker) {
    while (!worker.result()) {
        pollfd readable{.fd = worker.fd(), .events = POLLIN, .revents = 0};
        ::poll(&readable, 1, -1);
        worker.dispatch();
    }
    return *worker.result();
}

struct Dispatch : ::testing::Test {
    Dispatch() {
        worker.accepts([] {}, [] {});
    }
    FakeSupervisor supervisor;
    CallRecorder recorder;
    Worker worker{WorkerOptions{.drive = WorkerOptions::Drive::dispatch}};
};

TEST_F(Dispatch, RunsEveryStageInTheProgramsEventLoop) {
    std::set<std::thread::id> threads;
    const auto note = [&](const char* line) {
        return [this, line, &threads] {
            threads.insert(std::this_thread::get_id());
            recorder.record(line);
        };
    };
    Request request = worker.begin_request("GET /");
    worker.on_lame_duck(note("lame-duck"));
    worker.on_drain([&, inner = note("drain")] {
        inner();
        request.end();
    });
    worker.on_released(note("released"));
    worker.start_task("task", [](const std::stop_token& stop) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait(lock, stop, [] { return false; });
    });
    worker.close_last("pool", note("pool"));
    worker.ready();
    supervisor.send_stage(Stage::lame_duck);
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(run_loop(worker), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("drain", "pool", "released"));
    EXPECT_THAT(threads, ElementsAre(std::this_thread::get_id()));
    supervisor.wait_for(is_drained);
}

std::ptrdiff_t threads_of_this_process() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

TEST_F(Dispatch, PausesAndResumesWithoutAThread) {
    const auto before = threads_of_this_process();
    worker.ready();
    supervisor.send_stage(Stage::pause);
    worker.dispatch();
    supervisor.wait_for(has_stopped_accepting);
    supervisor.send_stage(Stage::run);
    worker.dispatch();
    supervisor.wait_for(accepts);
    EXPECT_EQ(threads_of_this_process(), before);
    EXPECT_EQ(worker.result(), std::nullopt);
}

TEST(StandaloneDispatch, StartsNoThread) {
    const auto before = threads_of_this_process();
    const Worker worker({.drive = WorkerOptions::Drive::dispatch});
    EXPECT_EQ(threads_of_this_process(), before);
}

TEST_F(Dispatch, WakesTheEventLoopWhenAnotherThreadEndsARequest) {
    Request request = worker.begin_request("GET /");
    worker.ready();
    supervisor.send_stage(Stage::drain);
    worker.dispatch();
    supervisor.wait_for(has_stopped_accepting);
    std::thread other([&] { request.end(); });
    EXPECT_EQ(run_loop(worker), 0);
    other.join();
}

TEST_F(Dispatch, RunsCancelCallbacksInTheEventLoop) {
    Request request = worker.begin_request("GET /");
    worker.on_cancel([&] {
        recorder.record("cancel");
        request.end();
    });
    worker.ready();
    supervisor.send_stage(Stage::cancel);
    EXPECT_EQ(run_loop(worker), 3);
    EXPECT_THAT(recorder.lines(), ElementsAre("cancel"));
}

TEST_F(Dispatch, RejectsRecursiveDispatch) {
    std::string message;
    worker.on_pause([&] { message = misuse([&] { worker.dispatch(); }); });
    worker.ready();
    supervisor.send_stage(Stage::pause);
    worker.dispatch();
    EXPECT_THAT(message, HasSubstr("cannot dispatch(): it is already running"));
}

TEST_F(Dispatch, RunsInsideWait) {
    worker.ready();
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(worker.wait(), 0);
}

TEST(StandaloneDispatch, AppliesDeadlinesThroughTheDescriptor) {
    EXPECT_EXIT(
        {
            Worker worker({.grace_period = 20ms, .cancel_period = 20ms, .drive = WorkerOptions::Drive::dispatch});
            const Request request = worker.begin_request("stuck");
            worker.ready();
            worker.stop();
            std::_Exit(run_loop(worker));
        },
        ::testing::ExitedWithCode(3), "the last deadline has passed; this is still held:(.|\n)*request stuck");
}

TEST(ControlThread, RejectsDispatch) {
    const FakeSupervisor supervisor;
    Worker worker;
    EXPECT_THAT(misuse([&] { worker.dispatch(); }), HasSubstr("this worker has a control thread"));
    EXPECT_THAT(misuse([&] { std::ignore = worker.fd(); }), HasSubstr("this worker has a control thread"));
}

TEST(Post, RunsCallbacksAndClosesOnTheThreadOfTheProgramsChoice) {
    FakeSupervisor supervisor;
    LoopThread loop;
    std::set<std::thread::id> threads;
    std::vector<std::string> lines;
    const auto note = [&](const char* line) {
        return [&, line] {
            threads.insert(std::this_thread::get_id());
            lines.emplace_back(line);
        };
    };
    Worker worker({.post = [&](auto function) { loop.post(std::move(function)); }});
    worker.on_drain(note("drain"));
    worker.close_last("pool", note("pool"));
    worker.on_released(note("released"));
    worker.ready();
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_THAT(lines, ElementsAre("drain", "pool", "released"));
    EXPECT_THAT(threads, ElementsAre(loop.id()));
}

TEST(Post, ThatDiscardsAFunctionIsReportedAndDoesNotBlockTheDrain) {
    FakeSupervisor supervisor;
    ::testing::internal::CaptureStderr();
    Worker worker({.post = [](auto) {}});
    worker.on_drain([] {});
    worker.ready();
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("discarded it without running it"));
}

TEST(Post, CannotBeCombinedWithDispatch) {
    EXPECT_THAT(
        misuse([] { const Worker worker({.drive = WorkerOptions::Drive::dispatch, .post = [](auto f) { f(); }}); }),
        HasSubstr("remove one of the two"));
}

TEST(Callbacks, ReceiveTheRemainingTime) {
    FakeSupervisor supervisor;
    Worker worker;
    std::chrono::microseconds left{};
    worker.on_drain([&](std::chrono::microseconds remaining) { left = remaining; });
    worker.ready();
    supervisor.send_stage(Stage::drain, 1h);
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_GT(left, 50min);
    EXPECT_LE(left, 1h);
}

}  // namespace
}  // namespace holdfast::testing
