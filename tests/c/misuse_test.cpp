#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <holdfast.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "control_pipe.hpp"
#include "dummy_callbacks.hpp"

namespace {

using holdfast::testing::ControlPipe;
using holdfast::testing::do_nothing;
using holdfast::testing::do_nothing_in_stage;
using holdfast::testing::ignore_connection;
using holdfast::testing::return_at_once;
using ::testing::HasSubstr;

// Expects the error, and a message that contains the text.
void expect_error(int returned, int error, const char* text) {
    EXPECT_EQ(returned, -error) << holdfast_last_error();
    EXPECT_THAT(holdfast_last_error(), HasSubstr(text));
}

TEST(CMisuse, WithoutAWorkerFailsInEveryFunction) {
    int64_t number = 0;
    holdfast_listener* listener = nullptr;
    holdfast_request* request = nullptr;
    holdfast_session* session = nullptr;
    holdfast_work* work = nullptr;
    holdfast_acceptor* acceptor = nullptr;
    const holdfast_report* report = nullptr;
    const std::vector<int> returned = {
        holdfast_on_lame_duck(nullptr, do_nothing_in_stage, nullptr),
        holdfast_on_pause(nullptr, do_nothing_in_stage, nullptr),
        holdfast_on_drain(nullptr, do_nothing_in_stage, nullptr),
        holdfast_on_run(nullptr, do_nothing_in_stage, nullptr),
        holdfast_on_cancel(nullptr, do_nothing_in_stage, nullptr),
        holdfast_on_released(nullptr, do_nothing_in_stage, nullptr),
        holdfast_ready(nullptr),
        holdfast_stop_worker(nullptr),
        holdfast_wait(nullptr),
        holdfast_fd(nullptr),
        holdfast_dispatch(nullptr),
        holdfast_result(nullptr),
        holdfast_draining(nullptr),
        holdfast_deadline(nullptr, &number),
        holdfast_remaining(nullptr, &number),
        holdfast_is_supervised(nullptr),
        holdfast_keep_alive_min(nullptr, &number),
        holdfast_listen(nullptr, "http", ":0", &listener),
        holdfast_take_listener(nullptr, "http", &listener),
        holdfast_listener_fd(nullptr),
        holdfast_listener_is_inherited(nullptr),
        holdfast_accept(nullptr, 0, &session),
        holdfast_start_acceptor(nullptr, &listener, ignore_connection, nullptr, &acceptor),
        holdfast_begin_request(nullptr, "GET /", &request),
        holdfast_begin_session(nullptr, "stream", -1, &session),
        holdfast_session_has_to_leave(nullptr),
        holdfast_session_on_leave(nullptr, do_nothing, nullptr),
        holdfast_session_deadline(nullptr, &number),
        holdfast_hold_work(nullptr, "job", do_nothing, nullptr, &work),
        holdfast_finish_work(&work),
        holdfast_start_task(nullptr, "task", return_at_once, nullptr, nullptr),
        holdfast_stop_requested(nullptr),
        holdfast_stop_wait(nullptr, 0),
        holdfast_stop_fd(nullptr),
        holdfast_resource(nullptr, "pool", do_nothing, nullptr, nullptr),
        holdfast_close_last(nullptr, "pool", do_nothing, nullptr, nullptr),
        holdfast_used_by(nullptr, 0, 0),
        holdfast_close_within(nullptr, 0, 0),
        holdfast_make_report(nullptr, &report)};
    EXPECT_THAT(returned, ::testing::Each(-EINVAL));
    EXPECT_STREQ(holdfast_listener_name(nullptr), "");
    EXPECT_STREQ(holdfast_listener_address(nullptr), "");
}

TEST(CMisuse, WithoutTheAddressOfAHandleFails) {
    const std::vector<int> returned = {holdfast_new(nullptr, nullptr),
                                       holdfast_free(nullptr),
                                       holdfast_release_listener(nullptr),
                                       holdfast_close_listener(nullptr),
                                       holdfast_free_acceptor(nullptr),
                                       holdfast_end_request(nullptr),
                                       holdfast_end_session(nullptr),
                                       holdfast_finish_work(nullptr),
                                       holdfast_drop_work(nullptr),
                                       holdfast_free_report(nullptr),
                                       holdfast_init_options(nullptr, sizeof(holdfast_options))};
    EXPECT_THAT(returned, ::testing::Each(-EINVAL));
    holdfast_worker* none = nullptr;
    EXPECT_EQ(holdfast_free(&none), 0) << "freeing NULL does nothing";
}

// The options of a program that was built with a later version.
struct LaterOptions {
    holdfast_options known;
    int64_t unknown;
};

TEST(COptions, OfAnOlderProgramKeepNewerDefaults) {
    holdfast_options options;
    const size_t older = offsetof(holdfast_options, keep_alive_min_ms);
    std::memset(static_cast<void*>(&options), 0x7f, sizeof options);
    ASSERT_EQ(holdfast_init_options(&options, older), 0);
    holdfast_worker* worker = nullptr;
    ASSERT_EQ(holdfast_new(&options, &worker), 0) << holdfast_last_error();
    int64_t keep_alive_min = 0;
    EXPECT_EQ(holdfast_keep_alive_min(worker, &keep_alive_min), 0);
    EXPECT_EQ(keep_alive_min, 1000);
    EXPECT_EQ(holdfast_free(&worker), 0);
}

TEST(COptions, OfALaterProgramAreRejectedOnlyIfAnUnknownOneIsSet) {
    LaterOptions options;
    holdfast_worker* worker = nullptr;
    ASSERT_EQ(holdfast_init_options(&options.known, sizeof options), 0);
    options.unknown = 1;
    expect_error(holdfast_new(&options.known, &worker), E2BIG, "install a newer version");
    options.unknown = 0;
    EXPECT_EQ(holdfast_new(&options.known, &worker), 0) << holdfast_last_error();
    EXPECT_EQ(holdfast_free(&worker), 0);
}

TEST(COptions, WithInvalidValuesAreRejected) {
    holdfast_options options{};
    holdfast_worker* worker = nullptr;
    expect_error(holdfast_new(&options, &worker), EINVAL, "holdfast_init_options()");
    ASSERT_EQ(holdfast_init_options(&options, sizeof options), 0);
    options.grace_period_ms = -1;
    expect_error(holdfast_new(&options, &worker), EINVAL, "-1 ms");
    ASSERT_EQ(holdfast_init_options(&options, sizeof options), 0);
    options.drive = 7;
    expect_error(holdfast_new(&options, &worker), EINVAL, "enum holdfast_drive");
    EXPECT_EQ(worker, nullptr);
}

class CMisuseOfAWorker : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(holdfast_new(nullptr, &worker_), 0) << holdfast_last_error(); }
    void TearDown() override { EXPECT_EQ(holdfast_free(&worker_), 0); }

    ControlPipe supervisor_;
    holdfast_worker* worker_ = nullptr;
};

TEST_F(CMisuseOfAWorker, RejectsASecondReady) {
    EXPECT_EQ(holdfast_ready(worker_), 0);
    EXPECT_EQ(holdfast_ready(worker_), -EPERM);
    EXPECT_STRNE(holdfast_last_error(), "");
}

TEST_F(CMisuseOfAWorker, RejectsASecondWorker) {
    holdfast_worker* second = nullptr;
    expect_error(holdfast_new(nullptr, &second), EPERM, "second");
    EXPECT_EQ(second, nullptr);
}

TEST_F(CMisuseOfAWorker, RejectsAListenerThatWasNotInherited) {
    holdfast_listener* listener = nullptr;
    expect_error(holdfast_take_listener(worker_, "admin", &listener), ENOENT, "admin");
    EXPECT_EQ(holdfast_take_listener(worker_, nullptr, &listener), -ENOENT);
    EXPECT_EQ(holdfast_listen(worker_, "http", "nonsense", &listener), -EINVAL);
    EXPECT_EQ(holdfast_listen(worker_, nullptr, ":0", &listener), -EINVAL);
    EXPECT_EQ(listener, nullptr);
}

TEST_F(CMisuseOfAWorker, RejectsADependencyCycleByName) {
    holdfast_user pool = 0, cache = 0;
    ASSERT_EQ(holdfast_resource(worker_, "pool", do_nothing, nullptr, &pool), 0);
    ASSERT_EQ(holdfast_resource(worker_, "cache", do_nothing, nullptr, &cache), 0);
    EXPECT_EQ(holdfast_used_by(worker_, pool, cache), 0) << holdfast_last_error();
    expect_error(holdfast_used_by(worker_, cache, pool), EPERM, "cache");
    expect_error(holdfast_used_by(worker_, cache, 12345), EINVAL, "12345");
    expect_error(holdfast_used_by(worker_, 0, pool), EINVAL, "holdfast_resource()");
    EXPECT_EQ(holdfast_close_within(worker_, pool, -5), -EINVAL);
}

TEST_F(CMisuseOfAWorker, RejectsNullCallbacksAndNames) {
    holdfast_request* request = nullptr;
    EXPECT_EQ(holdfast_on_drain(worker_, nullptr, nullptr), -EINVAL);
    EXPECT_EQ(holdfast_resource(worker_, "pool", nullptr, nullptr, nullptr), -EINVAL);
    EXPECT_EQ(holdfast_start_task(worker_, "task", nullptr, nullptr, nullptr), -EINVAL);
    EXPECT_EQ(holdfast_begin_request(worker_, nullptr, &request), -EINVAL);
    EXPECT_EQ(holdfast_begin_request(worker_, "GET /", nullptr), -EINVAL);
    holdfast_session* session = nullptr;
    EXPECT_EQ(holdfast_begin_session(worker_, "stream", -2, &session), -EINVAL);
}

TEST_F(CMisuseOfAWorker, RejectsDispatchWithAControlThread) {
    EXPECT_EQ(holdfast_dispatch(worker_), -EPERM);
    EXPECT_LT(holdfast_fd(worker_), 0);
}

TEST_F(CMisuseOfAWorker, RejectsNewHandlesAfterTheRelease) {
    EXPECT_EQ(holdfast_ready(worker_), 0);
    supervisor_.send_stage("drain");
    EXPECT_EQ(holdfast_wait(worker_), 0);
    holdfast_request* request = nullptr;
    holdfast_session* session = nullptr;
    holdfast_work* work = nullptr;
    EXPECT_EQ(holdfast_begin_request(worker_, "GET /", &request), -ESHUTDOWN);
    EXPECT_STRNE(holdfast_last_error(), "");
    EXPECT_EQ(holdfast_begin_session(worker_, "stream", -1, &session), -ESHUTDOWN);
    EXPECT_EQ(holdfast_hold_work(worker_, "job", do_nothing, nullptr, &work), -ESHUTDOWN);
    EXPECT_EQ(holdfast_start_task(worker_, "task", return_at_once, nullptr, nullptr), -ESHUTDOWN);
    EXPECT_EQ(request, nullptr);
}

// Runs in a forked child, which is no worker. Returns how many functions did something else than expected.
int use_in_child(holdfast_worker* worker, holdfast_request* request, holdfast_session* session) {
    holdfast_request* begun = nullptr;
    int wrong = 0;
    const auto expect = [&wrong](int returned, int wanted) { wrong += returned == wanted ? 0 : 1; };
    expect(holdfast_begin_request(worker, "GET /", &begun), 0);
    expect(holdfast_end_request(&begun), 0);
    expect(holdfast_end_request(&request), 0);
    expect(holdfast_end_session(&session), 0);
    expect(holdfast_ready(worker), -EPERM);
    expect(holdfast_wait(worker), -EPERM);
    expect(holdfast_free(&worker), 0);
    return wrong;
}

// The parent forks while other threads use the library: nothing that the child does waits for them.
TEST_F(CMisuseOfAWorker, OfTheParentIsHarmlessInAForkedChild) {
    std::atomic<bool> is_over = false;
    std::thread busy([&] {
        while (!is_over) {
            holdfast_request* request = nullptr;
            if (holdfast_begin_request(worker_, "GET /", &request) == 0) holdfast_end_request(&request);
        }
    });
    for (int round = 0; round < 20; ++round) {
        holdfast_request* request = nullptr;
        holdfast_session* session = nullptr;
        ASSERT_EQ(holdfast_begin_request(worker_, "GET /", &request), 0);
        ASSERT_EQ(holdfast_begin_session(worker_, "stream", -1, &session), 0);
        const pid_t child = ::fork();
        if (child == 0) ::_exit(use_in_child(worker_, request, session));
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
        EXPECT_EQ(holdfast_end_request(&request), 0);
        EXPECT_EQ(holdfast_end_session(&session), 0);
    }
    is_over = true;
    busy.join();
}

TEST(CLastError, IsStoredPerThread) {
    EXPECT_EQ(holdfast_fail(EIO, "mine"), -EIO);
    std::thread([] {
        EXPECT_STREQ(holdfast_last_error(), "");
        EXPECT_EQ(holdfast_fail(-EBUSY, "another's"), -EBUSY);
    }).join();
    EXPECT_STREQ(holdfast_last_error(), "mine");
    EXPECT_EQ(holdfast_fail(EIO, std::string(5000, 'x').c_str()), -EIO);
    EXPECT_LT(std::strlen(holdfast_last_error()), 5000U) << "long messages are truncated";
}

TEST(CLibrary, CanBeLoadedAtRunTimeAndReturnsItsVersion) {
    void* library = ::dlopen(HOLDFAST_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << ::dlerror();
    const auto version =
        reinterpret_cast<decltype(&holdfast_version)>(::dlvsym(library, "holdfast_version", "HOLDFAST_1.0"));
    ASSERT_NE(version, nullptr) << ::dlerror();
    EXPECT_STREQ(version(), holdfast_version());
    EXPECT_EQ(::dlclose(library), 0);
    EXPECT_STREQ(version(), holdfast_version()) << "stays loaded, because its threads may run";
}

}  // namespace
