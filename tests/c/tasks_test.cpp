#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <holdfast.h>
#include <malloc.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "control_pipe.hpp"
#include "dummy_callbacks.hpp"

// Provided by the runtime of a sanitizer, which replaces malloc.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));

namespace {

using holdfast::testing::CallRecorder;
using holdfast::testing::ControlPipe;
using holdfast::testing::do_nothing;
using holdfast::testing::do_nothing_in_stage;
using holdfast::testing::return_at_once;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A supervised worker with tasks.
class CTasks : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(holdfast_new(nullptr, &worker_), 0) << holdfast_last_error(); }
    void TearDown() override { EXPECT_EQ(holdfast_free(&worker_), 0) << holdfast_last_error(); }

    int drain_and_wait() {
        supervisor_.send_stage("drain");
        return holdfast_wait(worker_);
    }

    ControlPipe supervisor_;
    CallRecorder recorder_;
    holdfast_worker* worker_ = nullptr;
};

// A task of which a test decides when it returns, and what.
struct Task {
    static int run(holdfast_stop* stop, void* user) {
        const auto* task = static_cast<const Task*>(user);
        task->recorder.write("runs");
        if (task->returned == 0) return holdfast_stop_wait(stop, -1) == 1 ? 0 : -EIO;
        return holdfast_fail(task->returned, "the queue is gone");
    }

    const CallRecorder& recorder;
    int returned;
};

TEST_F(CTasks, StartsATaskWhenItIsReadyOrAtOnce) {
    holdfast_task_options options;
    ASSERT_EQ(holdfast_init_task_options(&options, sizeof options), 0);
    EXPECT_EQ(options.start, holdfast_task_start_at_ready);
    EXPECT_EQ(options.on_error, holdfast_task_on_error_stop);
    EXPECT_EQ(options.need, holdfast_task_need_optional);
    Task task{recorder_, 0};
    ASSERT_EQ(holdfast_start_task_with(worker_, "consumer", Task::run, &task, &options, nullptr), 0);
    options.start = holdfast_task_start_now;
    const CallRecorder warmed_up;
    Task warm_up{warmed_up, 0};
    ASSERT_EQ(holdfast_start_task_with(worker_, "warm-up", Task::run, &warm_up, &options, nullptr), 0);
    EXPECT_EQ(warmed_up.next(), "runs");
    EXPECT_THAT(recorder_.rest(), ElementsAre());
    EXPECT_EQ(holdfast_ready(worker_), 0);
    EXPECT_EQ(recorder_.next(), "runs");
    EXPECT_EQ(drain_and_wait(), 0);
}

TEST_F(CTasks, StopsGracefullyIfATaskFailsUnlessToldOtherwise) {
    Task task{recorder_, EIO};
    ASSERT_EQ(holdfast_start_task(worker_, "consumer", Task::run, &task, nullptr), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    supervisor_.wait_for("STOPPING=1");
    EXPECT_EQ(drain_and_wait(), 3);
    const holdfast_report* report = nullptr;
    ASSERT_EQ(holdfast_make_report(worker_, &report), 0);
    ASSERT_EQ(report->failed_count, 1U);
    EXPECT_THAT(report->failed[0], HasSubstr("consumer"));
    EXPECT_THAT(report->failed[0], HasSubstr("the queue is gone"));
    EXPECT_EQ(holdfast_free_report(&report), 0);
}

TEST_F(CTasks, GoesOnIfTheFailureOfATaskIsIgnored) {
    holdfast_task_options options;
    ASSERT_EQ(holdfast_init_task_options(&options, sizeof options), 0);
    options.on_error = holdfast_task_on_error_ignore;
    Task task{recorder_, EIO};
    EXPECT_EQ(holdfast_on_drain(worker_, do_nothing_in_stage, nullptr), 0);
    ASSERT_EQ(holdfast_start_task_with(worker_, "consumer", Task::run, &task, &options, nullptr), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    EXPECT_EQ(recorder_.next(), "runs");
    EXPECT_EQ(drain_and_wait(), 3);
}

TEST_F(CTasks, StopsIfATaskThatItNeedsReturns) {
    holdfast_task_options options;
    ASSERT_EQ(holdfast_init_task_options(&options, sizeof options), 0);
    options.need = holdfast_task_need_required;
    ASSERT_EQ(holdfast_start_task_with(worker_, "consumer", return_at_once, nullptr, &options, nullptr), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    supervisor_.wait_for("STOPPING=1");
    EXPECT_EQ(drain_and_wait(), 3);
}

TEST_F(CTasks, EndsAtOnceIfATaskFailsThatSaysSo) {
    holdfast_task_options options;
    ASSERT_EQ(holdfast_init_task_options(&options, sizeof options), 0);
    options.start = holdfast_task_start_now;
    options.on_error = holdfast_task_on_error_abort;
    const auto run = [&] {
        Task task{recorder_, EIO};
        holdfast_start_task_with(worker_, "consumer", Task::run, &task, &options, nullptr);
        holdfast_wait(worker_);
    };
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
    EXPECT_EXIT(run(), ::testing::KilledBySignal(SIGABRT), "");
}

TEST_F(CTasks, WithAnInvalidOptionAreRefused) {
    holdfast_task_options options{};
    const auto start = [&] {
        return holdfast_start_task_with(worker_, "task", return_at_once, nullptr, &options, nullptr);
    };
    EXPECT_EQ(start(), -EINVAL);
    EXPECT_THAT(holdfast_last_error(), HasSubstr("holdfast_init_task_options()"));
    for (int holdfast_task_options::*field :
         {&holdfast_task_options::start, &holdfast_task_options::on_error, &holdfast_task_options::need}) {
        ASSERT_EQ(holdfast_init_task_options(&options, sizeof options), 0);
        options.*field = 7;
        EXPECT_EQ(start(), -EINVAL);
        EXPECT_THAT(holdfast_last_error(), HasSubstr("is 7; use one of enum holdfast_task_"));
    }
    EXPECT_EQ(holdfast_init_task_options(nullptr, sizeof options), -EINVAL);
}

std::size_t allocated_bytes() {
    return &__sanitizer_get_current_allocated_bytes != nullptr ? __sanitizer_get_current_allocated_bytes()
                                                               : mallinfo2().uordblks;
}

int count_end(holdfast_stop*, void* user) {
    ++*static_cast<std::atomic<int>*>(user);
    return 0;
}

// Starts short tasks, one after the other, and returns the number of the last one.
holdfast_user run_tasks(holdfast_worker* worker, int count) {
    std::atomic<int> ended = 0;
    holdfast_user last = 0;
    holdfast_task_options options;
    EXPECT_EQ(holdfast_init_task_options(&options, sizeof options), 0);
    options.need = holdfast_task_need_finite;
    for (int i = 0; i < count; ++i) {
        EXPECT_EQ(holdfast_start_task_with(worker, "task", count_end, &ended, &options, &last), 0);
        while (ended <= i) std::this_thread::yield();
    }
    return last;
}

TEST_F(CTasks, LeaveNothingBehindWhenTheyHaveEnded) {
    constexpr int count = 3000;
    holdfast_user pool = 0;
    ASSERT_EQ(holdfast_resource(worker_, "pool", do_nothing, nullptr, &pool), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    run_tasks(worker_, count / 10);
    const std::size_t before = allocated_bytes();
    const holdfast_user last = run_tasks(worker_, count);
    const std::size_t after = allocated_bytes();
    EXPECT_LT(after, before + std::size_t{count} * 8) << "bytes are kept for each task that has ended";
    EXPECT_EQ(holdfast_used_by(worker_, pool, last), 0) << "a task that has ended uses nothing, but exists";
    EXPECT_EQ(holdfast_used_by(worker_, pool, last + 1), -EINVAL);
    EXPECT_EQ(drain_and_wait(), 0);
}

}  // namespace
