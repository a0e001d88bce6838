#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <holdfast/acceptor.hpp>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "call_recorder.hpp"
#include "client.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

// Collects accepted connections. Runs `before` first, on the accepting thread.
class Accepted {
  public:
    ~Accepted() { close_all(); }

    Acceptor::Accepted callback() {
        return [this](int fd, Session session) {
            if (before) before();
            const std::lock_guard lock(mutex_);
            connections_.emplace_back(fd, std::move(session));
        };
    }

    std::size_t count() {
        const std::lock_guard lock(mutex_);
        return connections_.size();
    }

    int first_fd() {
        const std::lock_guard lock(mutex_);
        return connections_.front().first;
    }

    void close_all() {
        const std::lock_guard lock(mutex_);
        for (auto& [fd, session] : connections_) ::close(fd);
        connections_.clear();
    }

    std::function<void()> before;

  private:
    std::mutex mutex_;
    std::vector<std::pair<int, Session>> connections_;
};

struct AcceptorUnderSupervisor : ::testing::Test {
    void begin() {
        acceptor.emplace(worker, std::move(listener), accepted.callback());
        worker.ready();
        waiter.emplace(worker);
    }

    void pause() {
        supervisor.send_stage(Stage::pause);
        supervisor.wait_for(has_stopped_accepting);
    }

    void run() {
        supervisor.send_stage(Stage::run);
        supervisor.wait_for(accepts);
    }

    void TearDown() override {
        if (!waiter) return;
        supervisor.send_stage(Stage::drain);
        supervisor.wait_for(has_stopped_accepting);
        accepted.close_all();  // only now: the acceptor may have been adding connections
        EXPECT_EQ(waiter->status(), 0);
    }

    FakeSupervisor supervisor;
    Worker worker;
    Listener listener = worker.listen("http", "127.0.0.1:0");
    Endpoint endpoint{listener};
    Accepted accepted;
    std::optional<Acceptor> acceptor;
    std::optional<Waiter> waiter;
};

TEST_F(AcceptorUnderSupervisor, AcceptsImmediatelyAndCountsTheConnectionUntilItIsClosed) {
    begin();
    const Client client(endpoint);
    ASSERT_TRUE(eventually([&] { return accepted.count() == 1; }));
    EXPECT_EQ(::fcntl(accepted.first_fd(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EXPECT_EQ(::fcntl(accepted.first_fd(), F_GETFD), FD_CLOEXEC);
    EXPECT_GE(worker.report().sessions, 1U);
    EXPECT_EQ(worker.report().waiting.front().name, "connection");
    accepted.close_all();
    EXPECT_TRUE(eventually([&] { return worker.report().sessions == 0; }));
}

TEST_F(AcceptorUnderSupervisor, AcceptsAllQueuedConnectionsBeforeThePauseIsAnswered) {
    constexpr std::size_t clients = 100;
    // After the first connection the thread blocks until set_mode() interrupts it, so the other clients stay queued.
    accepted.before = [&] {
        if (accepted.count() == 0) ::poll(nullptr, 0, -1);
    };
    begin();
    const std::vector<Client> waiting = connect(endpoint, clients);
    pause();
    EXPECT_EQ(accepted.count(), clients);
}

TEST_F(AcceptorUnderSupervisor, AcceptsNoConnectionsWhilePausedAndLosesNone) {
    begin();
    constexpr std::size_t clients = 50;
    std::vector<std::vector<Client>> all;
    for (std::size_t round = 1; round <= 5; ++round) {
        pause();
        const std::size_t before = accepted.count();
        all.push_back(connect(endpoint, clients));
        EXPECT_EQ(accepted.count(), before);
        run();
        EXPECT_TRUE(eventually([&] { return accepted.count() == round * clients; }));
    }
}

TEST_F(AcceptorUnderSupervisor, LeavesQueuedConnectionsToOthersWhilePaused) {
    begin();
    pause();
    const std::vector<Client> clients = connect(endpoint, 20);
    for (std::size_t i = 0; i < clients.size(); ++i) {
        const int fd = accept_one(endpoint.fd);
        EXPECT_GE(fd, 0);
        ::close(fd);
    }
}

TEST_F(AcceptorUnderSupervisor, AcceptsAgainWhenTheDrainIsTakenBack) {
    const Session delays_the_drain = worker.begin_session("held");
    begin();
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    const Client client(endpoint);
    EXPECT_EQ(accepted.count(), 0U);
    run();
    EXPECT_TRUE(eventually([&] { return accepted.count() == 1; }));
}

// Two siblings at once: one clears O_NONBLOCK in a loop, the other takes connections that poll(2) has reported.
// accept(2) blocks repeatedly, and each pause must still complete.
TEST_F(AcceptorUnderSupervisor, PausesWhileSiblingsClearNonblockAndTakeConnections) {
    std::atomic<bool> is_over = false;
    begin();
    std::thread clearing([&] {
        const int flags = ::fcntl(endpoint.fd, F_GETFL) & ~O_NONBLOCK;
        while (!is_over) ::fcntl(endpoint.fd, F_SETFL, flags);
    });
    std::thread taking([&] {
        pollfd queue{.fd = endpoint.fd, .events = POLLIN, .revents = 0};
        while (!is_over) {
            if (::poll(&queue, 1, 10) <= 0) continue;
            const int fd = ::accept(endpoint.fd, nullptr, nullptr);
            if (fd >= 0) ::close(fd);
        }
    });
    for (int i = 0; i < 100; ++i) {
        for (int k = 0; k < 10; ++k) Client{endpoint}.close();
        pause();
        run();
    }
    is_over = true;
    clearing.join();
    const Client last(endpoint);  // unblocks the sibling if it is in accept(2)
    taking.join();
}

TEST_F(AcceptorUnderSupervisor, PausesAndResumesOnAListenerThatWasShutDown) {
    begin();
    ::shutdown(endpoint.fd, SHUT_RD);
    pause();
    run();
    ASSERT_EQ(::listen(endpoint.fd, 16), 0);  // as the supervisor does to restore it
    endpoint.refresh();
    const Client client(endpoint);
    EXPECT_TRUE(eventually([&] { return accepted.count() == 1; }));
}

TEST_F(AcceptorUnderSupervisor, LeavesTheListenerOpenForOthersWhenItEnds) {
    begin();
    acceptor.reset();
    const Client client(endpoint);
    const int fd = ::accept(endpoint.fd, nullptr, nullptr);
    EXPECT_GE(fd, 0);
    ::close(fd);
    EXPECT_EQ(accepted.count(), 0U);
}

TEST_F(AcceptorUnderSupervisor, EndsWhileItAcceptsAndPauses) {
    begin();
    const std::vector<Client> clients = connect(endpoint, 20);
    supervisor.send_stage(Stage::pause);
    acceptor.reset();
    supervisor.wait_for(has_stopped_accepting);
}

TEST_F(AcceptorUnderSupervisor, RejectsAListenerThatWasReleased) {
    const int fd = listener.release();
    try {
        begin();
        FAIL() << "it was accepted";
    } catch (const std::system_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("cannot accept from the listener \"http\": its descriptor was given away"));
    }
    ::close(fd);
}

struct AcceptOne : ::testing::Test {
    Worker worker;
    const Listener listener = worker.listen("http", "127.0.0.1:0");
    const Endpoint endpoint{listener};
};

TEST_F(AcceptOne, FailsImmediatelyIfTheQueueIsEmpty) {
    errno = 0;
    EXPECT_EQ(accept_one(listener.fd()), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_FALSE(accept_failed_for_long(errno));
}

TEST_F(AcceptOne, SetsNonblockIfItWasCleared) {
    ::fcntl(endpoint.fd, F_SETFL, ::fcntl(endpoint.fd, F_GETFL) & ~O_NONBLOCK);
    EXPECT_EQ(accept_one(listener.fd()), -1);
    EXPECT_EQ(::fcntl(endpoint.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

TEST_F(AcceptOne, AcceptsTheFirstConnectionInTheQueue) {
    const Client client(endpoint);
    const int fd = accept_one(listener.fd());
    ASSERT_GE(fd, 0);
    EXPECT_EQ(::fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
    ::close(fd);
}

TEST_F(AcceptOne, DistinguishesLastingErrorsFromThoseOfOneConnection) {
    for (int error : {EAGAIN, EINTR, ECONNABORTED, EPROTO}) EXPECT_FALSE(accept_failed_for_long(error)) << error;
    for (int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL, EBADF}) EXPECT_TRUE(accept_failed_for_long(error));
}

}  // namespace
}  // namespace holdfast::testing
