#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <holdfast.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "control_pipe.hpp"

// Functions that a callback or a task must not call, because they would wait for it: they fail, and the worker goes on.

namespace {

using holdfast::testing::ControlPipe;
using ::testing::HasSubstr;

// A supervised worker, and callbacks that try to free it and to wait for it.
class CCallbacks : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(holdfast_new(nullptr, &worker_), 0) << holdfast_last_error(); }
    void TearDown() override {
        EXPECT_EQ(tries_, expected_) << "a callback was not called";
        EXPECT_EQ(holdfast_free(&worker_), 0) << holdfast_last_error();
    }

    void try_all() {
        holdfast_worker* copy = worker_;
        EXPECT_EQ(holdfast_free(&copy), -EPERM);
        EXPECT_THAT(holdfast_last_error(), HasSubstr("holdfast_stop_worker()"));
        EXPECT_NE(copy, nullptr);
        EXPECT_EQ(holdfast_wait(worker_), -EPERM);
        EXPECT_THAT(holdfast_last_error(), HasSubstr("wait for itself"));
        EXPECT_EQ(holdfast_dispatch(worker_), -EPERM);
        EXPECT_GE(holdfast_draining(worker_), 0) << "other functions can be called";
        ++tries_;
    }

    static int try_in_stage(int64_t, void* user) { return try_in_callback(user); }
    static int try_in_task(holdfast_stop*, void* user) { return try_in_callback(user); }
    static int try_in_callback(void* user) {
        static_cast<CCallbacks*>(user)->try_all();
        return 0;
    }

    // A callback must not free, so another thread tries to.
    static int free_on_a_thread(int64_t, void* user) {
        std::thread([copy = static_cast<CCallbacks*>(user)->worker_]() mutable {
            EXPECT_EQ(holdfast_free(&copy), -EBUSY);
            EXPECT_THAT(holdfast_last_error(), HasSubstr("holdfast_wait()"));
            EXPECT_NE(copy, nullptr);
        }).join();
        return 0;
    }

    int drain() {
        supervisor_.send_stage("drain");
        return holdfast_wait(worker_);
    }

    ControlPipe supervisor_;
    holdfast_worker* worker_ = nullptr;
    std::atomic<int> tries_ = 0;
    int expected_ = 1;
};

TEST_F(CCallbacks, OfAStageDoNotFreeOrWait) {
    expected_ = 2;
    EXPECT_EQ(holdfast_on_drain(worker_, try_in_stage, this), 0);
    EXPECT_EQ(holdfast_on_released(worker_, try_in_stage, this), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    EXPECT_EQ(drain(), 0);
}

TEST_F(CCallbacks, OfACloseDoNotFreeOrWait) {
    EXPECT_EQ(holdfast_close_last(worker_, "pool", try_in_callback, this, nullptr), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    EXPECT_EQ(drain(), 0);
}

TEST_F(CCallbacks, OfATaskDoNotFreeOrWait) {
    EXPECT_EQ(holdfast_start_task(worker_, "task", try_in_task, this, nullptr), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    while (tries_ == 0) std::this_thread::yield();
    EXPECT_EQ(drain(), 0);
}

TEST_F(CCallbacks, OfASessionDoNotFreeOrWait) {
    holdfast_session* session = nullptr;
    ASSERT_EQ(holdfast_begin_session(worker_, "stream", -1, &session), 0);
    EXPECT_EQ(holdfast_session_on_leave(session, try_in_callback, this), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    supervisor_.send_stage("drain");
    while (tries_ == 0) std::this_thread::yield();
    EXPECT_EQ(holdfast_end_session(&session), 0);
    EXPECT_EQ(holdfast_wait(worker_), 0);
}

TEST_F(CCallbacks, ThatHandBackDoNotFreeOrWait) {
    expected_ = 2;
    holdfast_work *dropped = nullptr, *held = nullptr;
    ASSERT_EQ(holdfast_hold_work(worker_, "dropped", try_in_callback, this, &dropped), 0);
    ASSERT_EQ(holdfast_hold_work(worker_, "held", try_in_callback, this, &held), 0);
    EXPECT_EQ(holdfast_drop_work(&dropped), 0);
    EXPECT_EQ(tries_, 1);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    supervisor_.send_stage("cancel");
    EXPECT_EQ(holdfast_wait(worker_), 3);
    EXPECT_EQ(holdfast_drop_work(&held), 0);
}

// With dispatch, callbacks run in the thread that also frees the worker.
TEST(CCallbacksInDispatch, DoNotFreeOrWait) {
    const ControlPipe supervisor;
    holdfast_options options;
    ASSERT_EQ(holdfast_init_options(&options, sizeof options), 0);
    options.drive = holdfast_drive_dispatch;
    static holdfast_worker* worker = nullptr;
    static int tries = 0;
    ASSERT_EQ(holdfast_new(&options, &worker), 0) << holdfast_last_error();
    const auto try_all = [](int64_t, void*) {
        EXPECT_EQ(holdfast_free(&worker), -EPERM);
        EXPECT_EQ(holdfast_dispatch(worker), -EPERM);
        ++tries;
        return 0;
    };
    EXPECT_EQ(holdfast_on_drain(worker, try_all, nullptr), 0);
    EXPECT_EQ(holdfast_ready(worker), 0);
    supervisor.send_stage("drain");
    EXPECT_EQ(holdfast_wait(worker), 0);
    EXPECT_EQ(tries, 1);
    EXPECT_EQ(holdfast_free(&worker), 0);
}

TEST_F(CCallbacks, OfAnotherThreadThatWaitsKeepTheWorker) {
    expected_ = 0;
    EXPECT_EQ(holdfast_on_drain(worker_, free_on_a_thread, this), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    EXPECT_EQ(drain(), 0);
}

}  // namespace
