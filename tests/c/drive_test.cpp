#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <holdfast.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "control_pipe.hpp"

// Which thread runs what: the program's event loop, a thread of the program's choice, an accepting thread.

namespace {

using holdfast::testing::becomes_readable;
using holdfast::testing::CallRecorder;
using holdfast::testing::ControlPipe;

int remember_thread(int64_t, void* user) {
    *static_cast<std::thread::id*>(user) = std::this_thread::get_id();
    return 0;
}

TEST(CDispatch, RunsEverythingInTheLoopThatPollsTheDescriptor) {
    const ControlPipe supervisor;
    holdfast_options options;
    ASSERT_EQ(holdfast_init_options(&options, sizeof options), 0);
    options.drive = holdfast_drive_dispatch;
    holdfast_worker* worker = nullptr;
    ASSERT_EQ(holdfast_new(&options, &worker), 0) << holdfast_last_error();
    std::thread::id thread;
    EXPECT_EQ(holdfast_on_drain(worker, remember_thread, &thread), 0);
    EXPECT_EQ(holdfast_ready(worker), 0);
    EXPECT_EQ(holdfast_result(worker), -EAGAIN);
    supervisor.send_stage("drain");
    while (holdfast_result(worker) == -EAGAIN) {
        ASSERT_TRUE(becomes_readable(holdfast_fd(worker)));
        ASSERT_EQ(holdfast_dispatch(worker), 0) << holdfast_last_error();
    }
    EXPECT_EQ(holdfast_result(worker), 0);
    EXPECT_EQ(thread, std::this_thread::get_id());
    EXPECT_EQ(holdfast_free(&worker), 0);
}

// An event loop of the program: runs posted functions until end().
class Loop {
  public:
    static int post(void (*run)(void*), void* argument, void* user) {
        auto* loop = static_cast<Loop*>(user);
        const std::lock_guard lock(loop->mutex_);
        loop->posted_.emplace_back(run, argument);
        loop->changed_.notify_all();
        return 0;
    }

    void run_until(const std::atomic<bool>& over) {
        std::unique_lock lock(mutex_);
        while (!over || !posted_.empty()) {
            changed_.wait(lock, [&] { return over || !posted_.empty(); });
            if (posted_.empty()) continue;
            const auto [run, argument] = posted_.front();
            posted_.pop_front();
            lock.unlock();
            run(argument);
            lock.lock();
        }
    }

    void end(std::atomic<bool>& over) {
        const std::lock_guard lock(mutex_);
        over = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::pair<void (*)(void*), void*>> posted_;
};

TEST(CPost, RunsCallbacksOnTheThreadOfTheProgramsChoice) {
    const ControlPipe supervisor;
    Loop loop;
    holdfast_options options;
    ASSERT_EQ(holdfast_init_options(&options, sizeof options), 0);
    options.post = Loop::post;
    options.post_user = &loop;
    holdfast_worker* worker = nullptr;
    ASSERT_EQ(holdfast_new(&options, &worker), 0) << holdfast_last_error();
    std::thread::id thread;
    EXPECT_EQ(holdfast_on_drain(worker, remember_thread, &thread), 0);
    EXPECT_EQ(holdfast_ready(worker), 0);
    supervisor.send_stage("drain");
    std::atomic<bool> over = false;
    std::thread waiting([&] {
        EXPECT_EQ(holdfast_wait(worker), 0);
        loop.end(over);
    });
    loop.run_until(over);
    waiting.join();
    EXPECT_EQ(thread, std::this_thread::get_id());
    EXPECT_EQ(holdfast_free(&worker), 0);
}

// A standalone worker with a listener that it binds.
class CAccept : public ::testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(holdfast_new(nullptr, &worker_), 0) << holdfast_last_error();
        const std::string name = "unix:@holdfast-c-test-" + std::to_string(::getpid());
        ASSERT_EQ(holdfast_listen(worker_, "http", name.c_str(), &listener_), 0) << holdfast_last_error();
        EXPECT_STREQ(holdfast_listener_name(listener_), "http");
        EXPECT_EQ(holdfast_listener_address(listener_), name);
        EXPECT_EQ(holdfast_listener_is_inherited(listener_), 0);
    }

    void TearDown() override {
        EXPECT_EQ(holdfast_close_listener(&listener_), 0);
        EXPECT_EQ(holdfast_free(&worker_), 0);
    }

    int connect() const {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string name = "@holdfast-c-test-" + std::to_string(::getpid());
        std::memcpy(address.sun_path, name.data(), name.size());
        address.sun_path[0] = '\0';
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), size), 0) << std::strerror(errno);
        return fd;
    }

    uint64_t sessions() const {
        const holdfast_report* report = nullptr;
        EXPECT_EQ(holdfast_make_report(worker_, &report), 0);
        const uint64_t count = report->sessions;
        holdfast_free_report(&report);
        return count;
    }

    holdfast_worker* worker_ = nullptr;
    holdfast_listener* listener_ = nullptr;
};

TEST_F(CAccept, CountsAConnectionUntilItsSessionEnds) {
    const int listener_fd = holdfast_listener_fd(listener_);
    holdfast_session* session = nullptr;
    EXPECT_EQ(holdfast_accept(worker_, listener_fd, &session), -EAGAIN);
    EXPECT_EQ(session, nullptr);
    EXPECT_EQ(sessions(), 0U);
    EXPECT_EQ(holdfast_accept_failed_for_long(-EAGAIN), 0);
    EXPECT_EQ(holdfast_accept_failed_for_long(EMFILE), 1);

    const int client = connect();
    const int fd = holdfast_accept(worker_, listener_fd, &session);
    ASSERT_GE(fd, 0) << holdfast_last_error();
    EXPECT_EQ(sessions(), 1U);
    EXPECT_EQ(holdfast_has_bytes(fd), 0);
    EXPECT_EQ(::write(client, "GET", 3), 3);
    ASSERT_TRUE(becomes_readable(fd));
    EXPECT_EQ(holdfast_has_bytes(fd), 1);
    EXPECT_EQ(holdfast_has_ended(fd), 0);
    EXPECT_EQ(holdfast_half_close(fd), 0);
    char byte = 0;
    EXPECT_EQ(::read(client, &byte, 1), 0) << "the client sees the end of the stream";
    ::close(client);
    EXPECT_EQ(::read(fd, &byte, 1), 1) << "the client's last byte can be read";
    ::close(fd);
    EXPECT_EQ(holdfast_end_session(&session), 0);
    EXPECT_EQ(sessions(), 0U);
}

TEST_F(CAccept, AcceptsOnItsOwnThreadAndOwnsTheListener) {
    const CallRecorder recorder;
    const auto accepted = [](int fd, holdfast_session* connection, void* user) {
        ::close(fd);
        holdfast_end_session(&connection);
        static_cast<const CallRecorder*>(user)->write("accepted");
        return 0;
    };
    holdfast_acceptor* acceptor = nullptr;
    ASSERT_EQ(holdfast_start_acceptor(worker_, &listener_, accepted, const_cast<CallRecorder*>(&recorder), &acceptor),
              0)
        << holdfast_last_error();
    EXPECT_EQ(listener_, nullptr);
    const int client = connect();
    EXPECT_EQ(recorder.next(), "accepted");
    ::close(client);
    EXPECT_EQ(holdfast_free_acceptor(&acceptor), 0);
    EXPECT_EQ(sessions(), 0U);
}

// What the callback of an acceptor must not do: it would wait for itself.
struct TryToFree {
    const CallRecorder& recorder;
    holdfast_worker* worker;
    holdfast_acceptor* acceptor = nullptr;
    std::atomic<bool> has_tried = false;

    static int accepted(int fd, holdfast_session* connection, void* user) {
        auto* test = static_cast<TryToFree*>(user);
        EXPECT_EQ(test->recorder.next(), "started");  // `acceptor` has been stored
        holdfast_acceptor* acceptor = test->acceptor;
        holdfast_worker* worker = test->worker;
        EXPECT_EQ(holdfast_free_acceptor(&acceptor), -EPERM) << holdfast_last_error();
        EXPECT_EQ(holdfast_free(&worker), -EPERM) << holdfast_last_error();
        EXPECT_EQ(holdfast_wait(worker), -EPERM) << holdfast_last_error();
        ::close(fd);
        const int ended = holdfast_end_session(&connection);
        test->has_tried = true;
        return ended;
    }
};

TEST_F(CAccept, IsNotFreedInItsCallbackNorAfterItsWorker) {
    const CallRecorder recorder;
    TryToFree test{.recorder = recorder, .worker = worker_};
    ASSERT_EQ(holdfast_start_acceptor(worker_, &listener_, TryToFree::accepted, &test, &test.acceptor), 0);
    const int client = connect();
    recorder.write("started");
    while (!test.has_tried) std::this_thread::yield();
    ::close(client);
    EXPECT_EQ(holdfast_free(&worker_), -EBUSY);
    EXPECT_THAT(holdfast_last_error(), ::testing::HasSubstr("1 of its acceptors"));
    ASSERT_NE(worker_, nullptr);
    EXPECT_EQ(holdfast_free_acceptor(&test.acceptor), 0) << holdfast_last_error();
}

TEST_F(CAccept, ReleasesTheDescriptor) {
    const int fd = holdfast_listener_fd(listener_);
    EXPECT_EQ(holdfast_release_listener(&listener_), fd);
    EXPECT_EQ(listener_, nullptr);
    EXPECT_EQ(::close(fd), 0);
}

}  // namespace
