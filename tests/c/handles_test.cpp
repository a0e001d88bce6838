#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <holdfast.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "control_pipe.hpp"
#include "dummy_callbacks.hpp"

// What happens to a program that uses a handle wrongly: an error, whatever it passes.

namespace {

using holdfast::testing::do_nothing;
using holdfast::testing::do_nothing_in_stage;
using holdfast::testing::ignore_connection;
using holdfast::testing::return_at_once;
using ::testing::HasSubstr;

class CHandles : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(holdfast_new(nullptr, &worker_), 0) << holdfast_last_error(); }
    void TearDown() override { EXPECT_EQ(holdfast_free(&worker_), 0) << holdfast_last_error(); }

    uint64_t requests() const {
        const holdfast_report* report = nullptr;
        EXPECT_EQ(holdfast_make_report(worker_, &report), 0) << holdfast_last_error();
        const uint64_t count = report->requests;
        EXPECT_EQ(holdfast_free_report(&report), 0);
        return count;
    }

    holdfast_listener* listen() const {
        holdfast_listener* listener = nullptr;
        const std::string name = "unix:@holdfast-c-handles-" + std::to_string(::getpid());
        EXPECT_EQ(holdfast_listen(worker_, "http", name.c_str(), &listener), 0) << holdfast_last_error();
        return listener;
    }

    holdfast_worker* worker_ = nullptr;
};

// Calls every function with a handle of its type.
template <class Handle>
using Functions = std::vector<std::function<int(Handle*)>>;

Functions<holdfast_worker> functions_of_workers() {
    static int64_t number = 0;
    static holdfast_listener* listener = nullptr;
    static holdfast_acceptor* acceptor = nullptr;
    static holdfast_request* request = nullptr;
    static holdfast_session* session = nullptr;
    static holdfast_work* work = nullptr;
    static const holdfast_report* report = nullptr;
    using Worker = holdfast_worker*;
    return {
        [](Worker worker) { return holdfast_free(&worker); },
        [](Worker worker) { return holdfast_accepts(worker, do_nothing_in_stage, do_nothing_in_stage, nullptr); },
        [](Worker worker) { return holdfast_on_drain(worker, do_nothing_in_stage, nullptr); },
        [](Worker worker) { return holdfast_on_released(worker, do_nothing_in_stage, nullptr); },
        [](Worker worker) { return holdfast_ready(worker); },
        [](Worker worker) { return holdfast_stop_worker(worker); },
        [](Worker worker) { return holdfast_wait(worker); },
        [](Worker worker) { return holdfast_fd(worker); },
        [](Worker worker) { return holdfast_dispatch(worker); },
        [](Worker worker) { return holdfast_result(worker); },
        [](Worker worker) { return holdfast_draining(worker); },
        [](Worker worker) { return holdfast_deadline(worker, &number); },
        [](Worker worker) { return holdfast_remaining(worker, &number); },
        [](Worker worker) { return holdfast_is_supervised(worker); },
        [](Worker worker) { return holdfast_keep_alive_min(worker, &number); },
        [](Worker worker) { return holdfast_listen(worker, "http", ":0", &listener); },
        [](Worker worker) { return holdfast_take_listener(worker, "http", &listener); },
        [](Worker worker) { return holdfast_accept(worker, 0, &session); },
        [](Worker worker) { return holdfast_start_acceptor(worker, &listener, ignore_connection, nullptr, &acceptor); },
        [](Worker worker) { return holdfast_begin_request(worker, "GET /", &request); },
        [](Worker worker) { return holdfast_begin_session(worker, "stream", -1, &session); },
        [](Worker worker) { return holdfast_hold_work(worker, "job", do_nothing, nullptr, &work); },
        [](Worker worker) { return holdfast_start_task(worker, "task", return_at_once, nullptr, nullptr); },
        [](Worker worker) { return holdfast_resource(worker, "pool", do_nothing, nullptr, nullptr); },
        [](Worker worker) { return holdfast_close_last(worker, "pool", do_nothing, nullptr, nullptr); },
        [](Worker worker) { return holdfast_used_by(worker, 1, 1); },
        [](Worker worker) { return holdfast_close_within(worker, 1, 1); },
        [](Worker worker) { return holdfast_make_report(worker, &report); }};
}

Functions<holdfast_session> functions_of_sessions() {
    static int64_t number = 0;
    using Session = holdfast_session*;
    return {[](Session session) { return holdfast_end_session(&session); },
            [](Session session) { return holdfast_session_has_to_leave(session); },
            [](Session session) { return holdfast_session_on_leave(session, do_nothing, nullptr); },
            [](Session session) { return holdfast_session_set_name(session, "GET /"); },
            [](Session session) { return holdfast_session_set_leave_within(session, 1000); },
            [](Session session) { return holdfast_session_deadline(session, &number); }};
}

Functions<holdfast_listener> functions_of_listeners() {
    using Listener = holdfast_listener*;
    return {[](Listener listener) { return holdfast_listener_fd(listener); },
            [](Listener listener) { return holdfast_listener_is_inherited(listener); },
            [](Listener listener) {
                EXPECT_STREQ(holdfast_listener_name(listener), "");
                EXPECT_STREQ(holdfast_listener_address(listener), "");
                return holdfast_release_listener(&listener);
            },
            [](Listener listener) { return holdfast_close_listener(&listener); }};
}

Functions<holdfast_work> functions_of_work() {
    using Work = holdfast_work*;
    return {[](Work work) { return holdfast_claim_work(work); }, [](Work work) { return holdfast_finish_work(&work); },
            [](Work work) { return holdfast_drop_work(&work); }};
}

Functions<holdfast_request> functions_of_requests() {
    return {[](holdfast_request* request) { return holdfast_end_request(&request); }};
}

Functions<holdfast_acceptor> functions_of_acceptors() {
    return {[](holdfast_acceptor* acceptor) { return holdfast_free_acceptor(&acceptor); }};
}

Functions<holdfast_stop> functions_of_stops() {
    using Stop = holdfast_stop*;
    return {[](Stop stop) { return holdfast_stop_requested(stop); },
            [](Stop stop) { return holdfast_stop_wait(stop, 0); }, [](Stop stop) { return holdfast_stop_fd(stop); }};
}

// Expects an error of each function, on this thread and on another one.
template <class Handle>
void expect_refused(const Functions<Handle>& functions, void* handle, const char* text) {
    const auto call_all = [&] {
        for (std::size_t i = 0; i < functions.size(); ++i) {
            EXPECT_EQ(functions[i](static_cast<Handle*>(handle)), -EBADF) << "function " << i;
            EXPECT_THAT(holdfast_last_error(), HasSubstr(text)) << "function " << i;
        }
    };
    call_all();
    std::thread(call_all).join();
}

constexpr const char* was_ended = "ended or freed before";

void* kept_stop = nullptr;
int keep_stop(holdfast_stop* stop, void* user) {
    kept_stop = stop;
    static_cast<std::atomic<bool>*>(user)->store(true);
    return 0;
}

TEST_F(CHandles, AreRefusedByEveryFunctionOnceTheyHaveEnded) {
    holdfast_listener* listener = listen();
    void* const ended_listener = listener;
    EXPECT_EQ(holdfast_close_listener(&listener), 0);
    expect_refused(functions_of_listeners(), ended_listener, was_ended);

    listener = listen();
    holdfast_acceptor* acceptor = nullptr;
    ASSERT_EQ(holdfast_start_acceptor(worker_, &listener, ignore_connection, nullptr, &acceptor), 0);
    void* const ended_acceptor = acceptor;
    EXPECT_EQ(holdfast_free_acceptor(&acceptor), 0) << holdfast_last_error();
    expect_refused(functions_of_acceptors(), ended_acceptor, was_ended);

    holdfast_request* request = nullptr;
    ASSERT_EQ(holdfast_begin_request(worker_, "GET /", &request), 0);
    void* const ended_request = request;
    EXPECT_EQ(holdfast_end_request(&request), 0);
    expect_refused(functions_of_requests(), ended_request, was_ended);

    holdfast_session* session = nullptr;
    ASSERT_EQ(holdfast_begin_session(worker_, "stream", -1, &session), 0);
    void* const ended_session = session;
    EXPECT_EQ(holdfast_end_session(&session), 0);
    expect_refused(functions_of_sessions(), ended_session, was_ended);

    for (const auto& end : {holdfast_finish_work, holdfast_drop_work}) {
        holdfast_work* work = nullptr;
        ASSERT_EQ(holdfast_hold_work(worker_, "job", do_nothing, nullptr, &work), 0);
        void* const ended_work = work;
        EXPECT_GE(end(&work), 0);
        expect_refused(functions_of_work(), ended_work, was_ended);
    }
}

TEST_F(CHandles, OfAStopTokenEndWithTheTask) {
    std::atomic<bool> is_kept = false;
    ASSERT_EQ(holdfast_ready(worker_), 0);
    ASSERT_EQ(holdfast_start_task(worker_, "task", keep_stop, &is_kept, nullptr), 0);
    while (!is_kept) std::this_thread::yield();
    while (holdfast_stop_requested(static_cast<holdfast_stop*>(kept_stop)) >= 0) std::this_thread::yield();
    expect_refused(functions_of_stops(), kept_stop, was_ended);
}

TEST(CFreedWorker, IsRefusedByEveryFunction) {
    holdfast_worker* worker = nullptr;
    ASSERT_EQ(holdfast_new(nullptr, &worker), 0) << holdfast_last_error();
    void* const freed = worker;
    EXPECT_EQ(holdfast_free(&worker), 0);
    expect_refused(functions_of_workers(), freed, was_ended);
    ASSERT_EQ(holdfast_new(nullptr, &worker), 0) << holdfast_last_error();
    expect_refused(functions_of_workers(), freed, was_ended);
    EXPECT_EQ(holdfast_free(&worker), 0);
}

// Handles that outlive their worker can be ended, and only once.
TEST(CFreedWorker, LeavesItsHandlesToBeEndedOnce) {
    holdfast_worker* worker = nullptr;
    ASSERT_EQ(holdfast_new(nullptr, &worker), 0) << holdfast_last_error();
    holdfast_request* request = nullptr;
    holdfast_session* session = nullptr;
    holdfast_work* work = nullptr;
    ASSERT_EQ(holdfast_begin_request(worker, "GET /", &request), 0);
    ASSERT_EQ(holdfast_begin_session(worker, "stream", -1, &session), 0);
    ASSERT_EQ(holdfast_hold_work(worker, "job", do_nothing, nullptr, &work), 0);
    void* const copies[] = {request, session, work};
    EXPECT_EQ(holdfast_free(&worker), 0);
    EXPECT_EQ(holdfast_end_request(&request), 0) << holdfast_last_error();
    EXPECT_EQ(holdfast_end_session(&session), 0) << holdfast_last_error();
    EXPECT_EQ(holdfast_drop_work(&work), 0) << holdfast_last_error();
    expect_refused(functions_of_requests(), copies[0], was_ended);
    expect_refused(functions_of_sessions(), copies[1], was_ended);
    expect_refused(functions_of_work(), copies[2], was_ended);
}

TEST_F(CHandles, OfAnotherTypeAreRefusedByName) {
    holdfast_request* request = nullptr;
    ASSERT_EQ(holdfast_begin_request(worker_, "GET /", &request), 0);
    expect_refused(functions_of_workers(), request, "the handle of a request");
    expect_refused(functions_of_sessions(), request, "the handle of a request");
    expect_refused(functions_of_listeners(), request, "the handle of a request");
    expect_refused(functions_of_acceptors(), request, "the handle of a request");
    expect_refused(functions_of_work(), request, "the handle of a request");
    expect_refused(functions_of_stops(), request, "the handle of a request");
    expect_refused(functions_of_requests(), worker_, "the handle of a worker");
    EXPECT_EQ(requests(), 1U);
    EXPECT_EQ(holdfast_end_request(&request), 0);
}

TEST_F(CHandles, ThatAreNoneAreRefused) {
    int local = 0;
    const std::string text = "neither is this";
    for (const std::uintptr_t number :
         {reinterpret_cast<std::uintptr_t>(&local), reinterpret_cast<std::uintptr_t>(text.data()), std::uintptr_t{1},
          ~std::uintptr_t{0}, ~std::uintptr_t{0} >> 1, std::uintptr_t{0xdeadbeef}}) {
        void* const handle = reinterpret_cast<void*>(number);
        expect_refused(functions_of_workers(), handle, "not a handle of this library");
        expect_refused(functions_of_sessions(), handle, "not a handle of this library");
        expect_refused(functions_of_listeners(), handle, "not a handle of this library");
        expect_refused(functions_of_acceptors(), handle, "not a handle of this library");
        expect_refused(functions_of_requests(), handle, "not a handle of this library");
        expect_refused(functions_of_work(), handle, "not a handle of this library");
        expect_refused(functions_of_stops(), handle, "not a handle of this library");
    }
}

TEST_F(CHandles, OfARequestCountsOnceHoweverOftenItIsEnded) {
    holdfast_request *request = nullptr, *other = nullptr;
    ASSERT_EQ(holdfast_begin_request(worker_, "GET /", &request), 0);
    holdfast_request* copy = request;
    EXPECT_EQ(holdfast_end_request(&request), 0);
    EXPECT_EQ(requests(), 0U);
    EXPECT_EQ(holdfast_end_request(&copy), -EBADF);
    EXPECT_EQ(requests(), 0U);
    ASSERT_EQ(holdfast_begin_request(worker_, "GET /", &other), 0);
    EXPECT_EQ(holdfast_end_request(&copy), -EBADF) << "its place is used by another request";
    EXPECT_EQ(requests(), 1U);
    EXPECT_EQ(holdfast_end_request(&other), 0);
}

// Two threads that end copies of the same handles: each is ended once.
TEST_F(CHandles, EndOnceIfTwoThreadsRace) {
    constexpr std::size_t rounds = 2000;
    std::vector<holdfast_request*> requests(rounds);
    std::vector<holdfast_session*> sessions(rounds);
    for (std::size_t i = 0; i < rounds; ++i) {
        ASSERT_EQ(holdfast_begin_request(worker_, "GET /", &requests[i]), 0);
        ASSERT_EQ(holdfast_begin_session(worker_, "stream", -1, &sessions[i]), 0);
    }
    std::atomic<int> ended = 0, refused = 0;
    const auto end_all = [&] {
        for (std::size_t i = 0; i < rounds; ++i) {
            holdfast_request* request = requests[i];
            holdfast_session* session = sessions[i];
            for (const int returned : {holdfast_end_request(&request), holdfast_end_session(&session)}) {
                ++(returned == 0 ? ended : refused);
            }
        }
    };
    std::thread other(end_all);
    end_all();
    other.join();
    EXPECT_EQ(ended, static_cast<int>(2 * rounds));
    EXPECT_EQ(refused, static_cast<int>(2 * rounds));
    EXPECT_EQ(this->requests(), 0U);
}

// Requests that one thread begins and others end: their entries return to the first.
TEST_F(CHandles, TravelBetweenThreads) {
    std::vector<holdfast_request*> begun(200);
    for (int round = 0; round < 50; ++round) {
        for (holdfast_request*& request : begun) ASSERT_EQ(holdfast_begin_request(worker_, "GET /", &request), 0);
        std::thread([&] {
            for (holdfast_request*& request : begun) EXPECT_EQ(holdfast_end_request(&request), 0);
        }).join();
    }
    EXPECT_EQ(requests(), 0U);
}

TEST_F(CHandles, OfAReportIsFreedOnce) {
    const holdfast_report *report = nullptr, local{};
    ASSERT_EQ(holdfast_make_report(worker_, &report), 0);
    const holdfast_report* copy = report;
    const holdfast_report* none = &local;
    EXPECT_EQ(holdfast_free_report(&report), 0);
    EXPECT_EQ(holdfast_free_report(&copy), -EBADF);
    EXPECT_THAT(holdfast_last_error(), HasSubstr("freed before"));
    EXPECT_EQ(holdfast_free_report(&none), -EBADF);
}

// Uses the worker until it is freed.
void use_until_freed(holdfast_worker* worker, std::atomic<int>& running) {
    const holdfast_report* report = nullptr;
    for (bool is_first = true;; is_first = false) {
        holdfast_request* request = nullptr;
        const int begun = holdfast_begin_request(worker, "GET /", &request);
        if (begun == 0) EXPECT_EQ(holdfast_end_request(&request), 0) << holdfast_last_error();
        const int made = holdfast_make_report(worker, &report);
        if (made == 0) EXPECT_EQ(holdfast_free_report(&report), 0);
        const int draining = holdfast_draining(worker);
        if (is_first) ++running;
        if (begun == -EBADF && made == -EBADF && draining == -EBADF) return;
        EXPECT_TRUE(begun == 0 || begun == -EBADF) << holdfast_last_error();
    }
}

// Many rounds, because a use must be running at the moment at which the worker is freed.
TEST(CFreedWorker, IsRefusedOnThreadsThatAreUsingIt) {
    constexpr int threads = 4;
    for (int round = 0; round < 100; ++round) {
        holdfast_worker* worker = nullptr;
        ASSERT_EQ(holdfast_new(nullptr, &worker), 0) << holdfast_last_error();
        std::atomic<int> running = 0;
        std::vector<std::thread> users;
        for (int i = 0; i < threads; ++i) users.emplace_back(use_until_freed, worker, std::ref(running));
        while (running != threads) std::this_thread::yield();
        EXPECT_EQ(holdfast_free(&worker), 0) << holdfast_last_error();
        for (std::thread& user : users) user.join();
    }
}

}  // namespace
