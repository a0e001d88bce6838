#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <holdfast.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include "control_pipe.hpp"
#include "dummy_callbacks.hpp"

namespace {

using holdfast::testing::CallRecorder;
using holdfast::testing::ControlPipe;
using holdfast::testing::do_nothing_in_stage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A supervised worker. Each test ends it by stages.
class CWorker : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(holdfast_new(nullptr, &worker_), 0) << holdfast_last_error(); }
    void TearDown() override { EXPECT_EQ(holdfast_free(&worker_), 0) << holdfast_last_error(); }

    static int write_stage(int64_t remaining_usec, void* user) {
        const auto* note = static_cast<const std::pair<const CallRecorder*, const char*>*>(user);
        const char* time = remaining_usec == INT64_MAX ? ", no deadline"
                           : remaining_usec > 0        ? ", some time"
                                                       : ", no time";
        note->first->write(note->second + std::string(time));
        return 0;
    }

    static int write_note(void* user) {
        const auto* note = static_cast<const std::pair<const CallRecorder*, const char*>*>(user);
        note->first->write(note->second);
        return 0;
    }

    int drain_and_wait() {
        supervisor_.send_stage("drain");
        return holdfast_wait(worker_);
    }

    ControlPipe supervisor_;
    CallRecorder recorder_;
    holdfast_worker* worker_ = nullptr;
};

TEST_F(CWorker, PassesTheRemainingTimeToTheCallbacksOfEachStage) {
    std::pair<const CallRecorder*, const char*> notes[] = {{&recorder_, "lame duck"}, {&recorder_, "pause"},
                                                           {&recorder_, "run"},       {&recorder_, "drain"},
                                                           {&recorder_, "cancel"},    {&recorder_, "released"}};
    EXPECT_EQ(holdfast_on_lame_duck(worker_, write_stage, &notes[0]), 0);
    EXPECT_EQ(holdfast_on_pause(worker_, write_stage, &notes[1]), 0);
    EXPECT_EQ(holdfast_on_run(worker_, write_stage, &notes[2]), 0);
    EXPECT_EQ(holdfast_on_drain(worker_, write_stage, &notes[3]), 0);
    EXPECT_EQ(holdfast_on_cancel(worker_, write_stage, &notes[4]), 0);
    EXPECT_EQ(holdfast_on_released(worker_, write_stage, &notes[5]), 0);
    holdfast_request* request = nullptr;
    ASSERT_EQ(holdfast_begin_request(worker_, "GET /", &request), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    supervisor_.wait_for("READY=1");
    std::thread waiting([&] { EXPECT_EQ(holdfast_wait(worker_), 3); });

    supervisor_.send_stage("lame-duck");
    EXPECT_EQ(recorder_.next(), "lame duck, some time");
    supervisor_.send_stage("pause");
    EXPECT_EQ(recorder_.next(), "pause, some time");
    supervisor_.send_stage("run");
    EXPECT_EQ(recorder_.next(), "run, no deadline");
    EXPECT_EQ(holdfast_draining(worker_), 0);
    supervisor_.send_stage("drain");
    EXPECT_EQ(recorder_.next(), "drain, some time");
    EXPECT_EQ(holdfast_draining(worker_), 1);
    int64_t deadline = 0, remaining = 0;
    EXPECT_EQ(holdfast_deadline(worker_, &deadline), 0);
    EXPECT_EQ(holdfast_remaining(worker_, &remaining), 0);
    EXPECT_GT(deadline, remaining);
    EXPECT_GT(remaining, 0);
    supervisor_.send_stage("cancel");
    EXPECT_EQ(recorder_.next(), "cancel, some time");
    EXPECT_EQ(holdfast_end_request(&request), 0);
    EXPECT_EQ(recorder_.next(), "released, some time");
    waiting.join();
    EXPECT_EQ(holdfast_is_supervised(worker_), 1);
}

TEST_F(CWorker, ReportsWhatItHoldsAsDataAndText) {
    holdfast_request* request = nullptr;
    holdfast_session* session = nullptr;
    ASSERT_EQ(holdfast_begin_request(worker_, "GET /report", &request), 0);
    ASSERT_EQ(holdfast_begin_session(worker_, "stream 7", -1, &session), 0);
    const holdfast_report* report = nullptr;
    ASSERT_EQ(holdfast_make_report(worker_, &report), 0);
    EXPECT_GE(report->size, sizeof *report);
    EXPECT_EQ(report->stage, holdfast_stage_run);
    EXPECT_EQ(report->remaining_usec, -1);
    EXPECT_EQ(report->requests, 1U);
    EXPECT_EQ(report->sessions, 1U);
    std::vector<std::string> held;
    for (size_t i = 0; i < report->waiting_count; ++i) {
        held.push_back(report->waiting[i].kind + std::string(" ") + report->waiting[i].name);
        EXPECT_GE(report->waiting[i].age_usec, 0);
    }
    EXPECT_THAT(held, ::testing::UnorderedElementsAre("request GET /report", "session stream 7"));
    EXPECT_THAT(report->text, HasSubstr("GET /report"));
    EXPECT_EQ(holdfast_free_report(&report), 0);
    EXPECT_EQ(report, nullptr);
    EXPECT_EQ(holdfast_end_request(&request), 0);
    EXPECT_EQ(holdfast_end_session(&session), 0);
    EXPECT_EQ(holdfast_end_session(&session), 0) << "the handle is NULL, and freeing NULL does nothing";
}

TEST_F(CWorker, AsksASessionToLeaveOnceWithADeadline) {
    holdfast_session* session = nullptr;
    std::pair<const CallRecorder*, const char*> note(&recorder_, "leave");
    ASSERT_EQ(holdfast_begin_session(worker_, "stream", 5000, &session), 0);
    EXPECT_EQ(holdfast_session_has_to_leave(session), 0);
    int64_t deadline = 0;
    EXPECT_EQ(holdfast_session_deadline(session, &deadline), 0);
    EXPECT_EQ(deadline, -1);
    EXPECT_EQ(holdfast_session_on_leave(session, write_note, &note), 0);
    EXPECT_EQ(holdfast_session_on_leave(session, write_note, &note), -EPERM);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    std::thread waiting([&] { EXPECT_EQ(drain_and_wait(), 0); });
    EXPECT_EQ(recorder_.next(), "leave");
    EXPECT_EQ(holdfast_session_has_to_leave(session), 1);
    EXPECT_EQ(holdfast_session_deadline(session, &deadline), 0);
    EXPECT_GT(deadline, 0);
    EXPECT_EQ(holdfast_end_session(&session), 0);
    waiting.join();
    EXPECT_THAT(recorder_.rest(), ElementsAre());
}

int end_session(void* user) { return holdfast_end_session(static_cast<holdfast_session**>(user)); }

TEST_F(CWorker, LetsACallbackEndItsOwnSessionEvenIfItIsCalledImmediately) {
    std::pair<const CallRecorder*, const char*> note(&recorder_, "leave");
    holdfast_session *first = nullptr, *early = nullptr, *late = nullptr;
    ASSERT_EQ(holdfast_begin_session(worker_, "first", -1, &first), 0);
    ASSERT_EQ(holdfast_begin_session(worker_, "early", -1, &early), 0);
    ASSERT_EQ(holdfast_begin_session(worker_, "late", -1, &late), 0);
    EXPECT_EQ(holdfast_session_on_leave(early, end_session, &early), 0);
    EXPECT_EQ(holdfast_session_on_leave(first, write_note, &note), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    std::thread waiting([&] { EXPECT_EQ(drain_and_wait(), 0); });
    EXPECT_EQ(recorder_.next(), "leave");
    while (holdfast_session_has_to_leave(late) == 0) std::this_thread::yield();
    EXPECT_EQ(holdfast_session_on_leave(late, end_session, &late), 0);
    EXPECT_EQ(late, nullptr);
    EXPECT_EQ(holdfast_end_session(&first), 0);
    waiting.join();
    EXPECT_EQ(early, nullptr);
}

TEST_F(CWorker, HandsBackDroppedWorkButNotFinishedWork) {
    std::pair<const CallRecorder*, const char*> one(&recorder_, "one"), two(&recorder_, "two"),
        three(&recorder_, "three");
    holdfast_work *dropped = nullptr, *finished = nullptr, *cancelled = nullptr;
    ASSERT_EQ(holdfast_hold_work(worker_, "job 1", write_note, &one, &dropped), 0);
    ASSERT_EQ(holdfast_hold_work(worker_, "job 2", write_note, &two, &finished), 0);
    ASSERT_EQ(holdfast_hold_work(worker_, "job 3", write_note, &three, &cancelled), 0);
    EXPECT_EQ(holdfast_drop_work(&dropped), 0);
    EXPECT_EQ(recorder_.next(), "one");
    EXPECT_EQ(holdfast_claim_work(finished), 1);
    EXPECT_EQ(holdfast_finish_work(&finished), 1);
    EXPECT_EQ(finished, nullptr);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    std::thread waiting([&] { holdfast_wait(worker_); });
    supervisor_.send_stage("cancel");
    EXPECT_EQ(recorder_.next(), "three");
    EXPECT_EQ(holdfast_claim_work(cancelled), 0);
    EXPECT_EQ(holdfast_finish_work(&cancelled), 0) << "it has been handed back";
    waiting.join();
}

int poll_until_stopped(holdfast_stop* stop, void* user) {
    const auto* recorder = static_cast<const CallRecorder*>(user);
    const int fd = holdfast_stop_fd(stop);
    if (holdfast_stop_requested(stop) != 0 || holdfast_stop_wait(stop, 0) != 0) recorder->write("stopped too early");
    recorder->write("runs");
    if (!holdfast::testing::becomes_readable(fd)) return -ETIMEDOUT;
    recorder->write(holdfast_stop_requested(stop) == 1 && holdfast_stop_wait(stop, -1) == 1 ? "stopped"
                                                                                            : "not stopped");
    return 0;
}

TEST_F(CWorker, StopsATaskWhenNoRequestIsLeftAndThenClosesItsResource) {
    std::pair<const CallRecorder*, const char*> closed(&recorder_, "closed");
    holdfast_request* request = nullptr;
    holdfast_user task = 0, pool = 0;
    ASSERT_EQ(holdfast_accepts(worker_, do_nothing_in_stage, do_nothing_in_stage, nullptr), 0);
    ASSERT_EQ(holdfast_begin_request(worker_, "GET /", &request), 0);
    ASSERT_EQ(holdfast_start_task(worker_, "consumer", poll_until_stopped, &recorder_, &task), 0);
    ASSERT_EQ(holdfast_resource(worker_, "pool", write_note, &closed, &pool), 0);
    EXPECT_EQ(holdfast_used_by(worker_, pool, task), 0) << holdfast_last_error();
    EXPECT_EQ(holdfast_used_by(worker_, pool, holdfast_all_requests), 0) << holdfast_last_error();
    EXPECT_EQ(holdfast_close_within(worker_, pool, 1000), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    EXPECT_EQ(recorder_.next(), "runs");
    std::thread waiting([&] { EXPECT_EQ(drain_and_wait(), 0); });
    supervisor_.wait_for("X_HOLDFAST_ACCEPTING=0");
    EXPECT_THAT(recorder_.rest(), ElementsAre());
    EXPECT_EQ(holdfast_end_request(&request), 0);
    waiting.join();
    EXPECT_THAT(recorder_.rest(), ElementsAre("stopped", "closed"));
}

TEST_F(CWorker, StopsAndStartsAcceptingByTwoFunctions) {
    const auto stop = [](int64_t, void* user) {
        static_cast<const CallRecorder*>(user)->write("stop");
        return 0;
    };
    const auto start = [](int64_t, void* user) {
        static_cast<const CallRecorder*>(user)->write("start");
        return 0;
    };
    EXPECT_EQ(holdfast_accepts(worker_, nullptr, start, &recorder_), -EINVAL);
    EXPECT_EQ(holdfast_accepts(worker_, stop, nullptr, &recorder_), -EINVAL);
    EXPECT_EQ(holdfast_accepts(worker_, stop, start, &recorder_), 0) << holdfast_last_error();
    EXPECT_EQ(holdfast_ready(worker_), 0);
    supervisor_.wait_for("X_HOLDFAST_STAGES=lame-duck,pause,run,drain,cancel");
    supervisor_.send_stage("pause");
    EXPECT_EQ(recorder_.next(), "stop");
    supervisor_.send_stage("run");
    EXPECT_EQ(recorder_.next(), "start");
    EXPECT_EQ(drain_and_wait(), 0);
    EXPECT_THAT(recorder_.rest(), ElementsAre("stop"));
    EXPECT_EQ(holdfast_accepts(worker_, stop, start, &recorder_), -EPERM) << "too late";
}

TEST_F(CWorker, CountsWorkAsLostIfItsHandBackFails) {
    holdfast_work* work = nullptr;
    const auto hand_back = [](void*) { return holdfast_fail(ECONNREFUSED, "the queue is gone"); };
    ASSERT_EQ(holdfast_hold_work(worker_, "job 7", hand_back, nullptr, &work), 0);
    EXPECT_EQ(holdfast_drop_work(&work), 0);
    const holdfast_report* report = nullptr;
    ASSERT_EQ(holdfast_make_report(worker_, &report), 0);
    EXPECT_EQ(report->lost, 1U);
    EXPECT_EQ(report->handed_back, 0U);
    ASSERT_EQ(report->failed_count, 1U);
    EXPECT_THAT(report->failed[0], HasSubstr("job 7"));
    EXPECT_EQ(holdfast_free_report(&report), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    EXPECT_EQ(drain_and_wait(), 3);
}

TEST_F(CWorker, RenamesASessionAndChangesItsTimeToLeave) {
    holdfast_session* session = nullptr;
    ASSERT_EQ(holdfast_begin_session(worker_, "connection", -1, &session), 0);
    EXPECT_EQ(holdfast_session_set_name(session, "GET /chat"), 0);
    EXPECT_EQ(holdfast_session_set_leave_within(session, -1), -EINVAL);
    EXPECT_EQ(holdfast_session_set_name(session, nullptr), -EINVAL);
    const holdfast_report* report = nullptr;
    ASSERT_EQ(holdfast_make_report(worker_, &report), 0);
    ASSERT_EQ(report->waiting_count, 1U);
    EXPECT_STREQ(report->waiting[0].name, "GET /chat");
    EXPECT_EQ(holdfast_free_report(&report), 0);
    EXPECT_EQ(holdfast_session_set_leave_within(session, 0), 0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    std::thread waiting([&] { drain_and_wait(); });
    supervisor_.wait_for("X_HOLDFAST_RELEASING=1");  // an overdue session does not hold the drain up
    EXPECT_EQ(holdfast_end_session(&session), 0);
    waiting.join();
}

TEST_F(CWorker, ReportsAFailedCloseByNameAndReason) {
    ASSERT_EQ(holdfast_close_last(
                  worker_, "database", [](void*) { return holdfast_fail(EIO, "the disk is full"); }, nullptr, nullptr),
              0);
    ASSERT_EQ(holdfast_close_last(
                  worker_, "cache", [](void*) { return -EBUSY; }, nullptr, nullptr),
              0);
    EXPECT_EQ(holdfast_ready(worker_), 0);
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(drain_and_wait(), 3);
    const std::string errors = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(errors, HasSubstr("the disk is full"));
    EXPECT_THAT(errors, HasSubstr("database"));
    EXPECT_THAT(errors, HasSubstr("returned -16 (Device or resource busy)"));
}

TEST_F(CWorker, RequestsAStopLikeSigterm) {
    EXPECT_EQ(holdfast_ready(worker_), 0);
    EXPECT_EQ(holdfast_stop_worker(worker_), 0);
    supervisor_.wait_for("STOPPING=1");
    EXPECT_EQ(drain_and_wait(), 0);
}

}  // namespace
