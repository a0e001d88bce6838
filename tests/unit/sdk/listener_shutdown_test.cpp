#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <holdfast/acceptor.hpp>
#include <latch>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;

std::string unix_path() {
    return (std::filesystem::temp_directory_path() / ("holdfast-refusal-" + std::to_string(::getpid()))).string();
}

bool refuses(const Endpoint& endpoint) {
    const int error = connect_error(endpoint);
    return error == ECONNREFUSED || error == ENOENT;
}

// Waits until the socket is shut down, without a client. Until then its path may be gone already.
bool is_shut_down_soon(const Endpoint& endpoint) {
    pollfd state{.fd = endpoint.fd, .events = POLLRDHUP, .revents = 0};
    return eventually([&] { return ::poll(&state, 1, 0) == 1; });
}

// Accepts connections with an Acceptor, which is busy with the first one until it has to stop: the others stay queued.
class BusyServer {
  public:
    BusyServer(Worker& worker, Listener listener)
        : acceptor_(worker, std::move(listener), [this](int fd, Session session) {
              if (count() == 0) ::poll(nullptr, 0, -1);
              const std::lock_guard lock(mutex_);
              connections_.emplace_back(fd, std::move(session));
          }) {}

    // Answers all and closes the connections.
    void answer() {
        const std::lock_guard lock(mutex_);
        for (auto& [fd, session] : connections_) {
            static_cast<void>(::send(fd, "served\n", 7, MSG_NOSIGNAL));  // a client of refuses() has gone
            ::close(fd);
        }
        connections_.clear();
    }

  private:
    std::size_t count() {
        const std::lock_guard lock(mutex_);
        return connections_.size();
    }

    std::mutex mutex_;
    std::vector<std::pair<int, Session>> connections_;
    Acceptor acceptor_;
};

struct DrainAlone : ::testing::TestWithParam<std::string> {
    Worker worker{{.lame_duck = 0ms, .grace_period = 1h}};
    Request in_flight = worker.begin_request("GET /slow");

    void expect_end(Waiter& waiter) {
        in_flight.end();
        EXPECT_EQ(waiter.status(), 0);
    }
};

std::string address_of_kind(const std::string& kind) {
    if (kind == "path") return "unix:" + unix_path();
    if (kind == "abstract") return "unix:@" + unix_path();
    return kind == "tcp4" ? "127.0.0.1:0" : "[::1]:0";
}

INSTANTIATE_TEST_SUITE_P(Of, DrainAlone, ::testing::Values("tcp4", "tcp6", "path", "abstract"),
                         [](const auto& kind) { return kind.param; });

TEST_P(DrainAlone, ServesTheQueuedClientsAndRefusesLaterOnes) {
    Listener listener = worker.listen("http", address_of_kind(GetParam()));
    const Endpoint endpoint(listener);
    BusyServer server(worker, std::move(listener));
    worker.ready();
    Waiter waiter(worker);
    const std::vector<Client> queued = connect(endpoint, 20);
    worker.stop();
    EXPECT_TRUE(is_shut_down_soon(endpoint));
    server.answer();
    for (const Client& client : queued) EXPECT_EQ(client.read_line(), "served");
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(refuses(endpoint));
    expect_end(waiter);
}

// It accepts on its own, and does not know about stages.
TEST_P(DrainAlone, ServesTheQueuedClientsOfAProgramWithoutCallbacks) {
    const Listener listener = worker.listen("http", address_of_kind(GetParam()));
    const Endpoint endpoint(listener);
    worker.ready();
    Waiter waiter(worker);
    const std::vector<Client> queued = connect(endpoint, 20);
    worker.stop();
    ASSERT_TRUE(eventually([&] { return worker.draining(); }));
    int fd = -1;
    std::size_t served = 0;
    for (; (fd = ::accept(listener.fd(), nullptr, nullptr)) >= 0; ++served) {
        EXPECT_EQ(::send(fd, "served\n", 7, MSG_NOSIGNAL), 7);
        ::close(fd);
    }
    EXPECT_EQ(errno, EINVAL);  // the blocked accept(2) ends when the socket is shut down
    EXPECT_EQ(served, queued.size());
    for (const Client& client : queued) EXPECT_EQ(client.read_line(), "served");
    EXPECT_TRUE(refuses(endpoint));
    expect_end(waiter);
}

TEST_P(DrainAlone, RefusesClientsOfADescriptorThatWasGivenAway) {
    Listener listener = worker.listen("http", address_of_kind(GetParam()));
    const Endpoint endpoint(listener);
    const int fd = listener.release();
    worker.ready();
    Waiter waiter(worker);
    worker.stop();
    EXPECT_TRUE(is_shut_down_soon(endpoint));
    EXPECT_TRUE(refuses(endpoint));
    EXPECT_EQ(::close(fd), 0);
    expect_end(waiter);
}

TEST_P(DrainAlone, RefusesClientsOfAListenerThatIsBoundDuringTheDrain) {
    worker.ready();
    Waiter waiter(worker);
    worker.stop();
    ASSERT_TRUE(eventually([&] { return worker.draining(); }));
    const Listener listener = worker.listen("late", address_of_kind(GetParam()));
    const Endpoint endpoint(listener);
    EXPECT_TRUE(is_shut_down_soon(endpoint));
    EXPECT_TRUE(refuses(endpoint));
    expect_end(waiter);
}

TEST_P(DrainAlone, DoesNotWaitForAProgramThatNeverAccepts) {
    const Listener listener = worker.listen("http", address_of_kind(GetParam()));
    const Endpoint endpoint(listener);
    worker.ready();
    Waiter waiter(worker);
    const Client queued(endpoint);
    worker.stop();
    ASSERT_TRUE(eventually([&] { return worker.draining(); }));
    expect_end(waiter);
}

struct DrainAloneWithTcp : DrainAlone {};
INSTANTIATE_TEST_SUITE_P(Of, DrainAloneWithTcp, ::testing::Values("tcp4"));

TEST_P(DrainAloneWithTcp, LeavesASocketAloneThatHasTheNumberOfAClosedListener) {
    std::optional<Listener> listener(worker.listen("http", "127.0.0.1:0"));
    const Listener successor = worker.listen("other", "unix:@" + unix_path());
    const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::listen(other, 16), 0);
    ASSERT_EQ(::dup2(other, listener->fd()), listener->fd());  // closes the listener
    ::close(other);
    const Endpoint endpoint(*listener);
    const Endpoint marker(successor);
    worker.ready();
    Waiter waiter(worker);
    worker.stop();
    EXPECT_TRUE(is_shut_down_soon(marker));
    EXPECT_EQ(connect_error(endpoint), 0);
    expect_end(waiter);
}

TEST_P(DrainAloneWithTcp, KeepsNoCopyOfTheListenerWhileItServes) {
    std::optional<Listener> listener(worker.listen("http", "127.0.0.1:0"));
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(listener->fd(), reinterpret_cast<sockaddr*>(&address), &length);
    listener.reset();
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&address), length), -1);
    ::close(client);
}

TEST_P(DrainAloneWithTcp, LeavesAPathAloneThatIsNotItsSocketAnyMore) {
    const Listener listener = worker.listen("http", "unix:" + unix_path());
    const Endpoint endpoint(listener);
    worker.ready();
    Waiter waiter(worker);
    std::filesystem::remove(unix_path());
    const int successor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(successor, reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.length), 0);
    ASSERT_EQ(::listen(successor, 16), 0);
    worker.stop();
    EXPECT_TRUE(is_shut_down_soon(endpoint));
    EXPECT_EQ(connect_error(endpoint), 0);
    ::close(successor);
    std::filesystem::remove(unix_path());
    expect_end(waiter);
}

TEST(LameDuckAlone, StillAccepts) {
    Worker worker({.lame_duck = 1h});
    const Listener listener = worker.listen("http", "127.0.0.1:0");
    const Endpoint endpoint(listener);
    std::latch begun(1);
    worker.on_lame_duck([&] { begun.count_down(); });
    worker.ready();
    Waiter waiter(worker);
    worker.stop();
    begun.wait();
    EXPECT_EQ(connect_error(endpoint), 0);
    const auto first = Worker::Clock::now();
    ASSERT_TRUE(eventually([&] { return Worker::Clock::now() > first + 1100ms; }));
    worker.stop();  // ends the stage
    EXPECT_EQ(waiter.status(), 0);
}

// Nobody empties the queue, and a callback hangs: the socket is shut down with the last stage.
TEST(CancelAlone, RefusesNewClientsWhateverHangs) {
    Worker worker({.grace_period = 1ms, .cancel_period = 1h});
    const Listener listener = worker.listen("http", "127.0.0.1:0");
    const Endpoint endpoint(listener);
    Request stuck = worker.begin_request("GET /");
    std::latch may_return(1);
    worker.on_drain([&] { may_return.wait(); });
    worker.ready();
    Waiter waiter(worker);
    const Client queued(endpoint);
    worker.stop();
    EXPECT_TRUE(eventually([&] { return refuses(endpoint); }));
    may_return.count_down();
    stuck.end();
    EXPECT_EQ(waiter.status(), 3);
}

struct UnderSupervisor : ::testing::Test {
    FakeSupervisor supervisor;
    Worker worker{{.grace_period = 1h}};
    Request in_flight = worker.begin_request("GET /slow");
};

// The supervisor can take it back.
TEST_F(UnderSupervisor, ADrainRefusesNobody) {
    const Listener listener = worker.listen("http", ":0");
    const Endpoint endpoint(listener);
    worker.accepts([] {}, [] {});
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for([](const Report& report) { return report.accepting == false; });
    EXPECT_EQ(connect_error(endpoint), 0);
    in_flight.end();
    EXPECT_EQ(waiter.status(), 0);
}

TEST_F(UnderSupervisor, ClientsAreRefusedOnceItHasEnded) {
    Listener listener = worker.listen("http", ":0");
    const Endpoint endpoint(listener);
    BusyServer server(worker, std::move(listener));
    worker.ready();
    Waiter waiter(worker);
    const std::vector<Client> queued = connect(endpoint, 20);
    supervisor.hang_up();
    EXPECT_TRUE(eventually([&] { return refuses(endpoint); }));
    server.answer();
    for (const Client& client : queued) EXPECT_EQ(client.read_line(), "served");
    in_flight.end();
    EXPECT_EQ(waiter.status(), 0);
}

TEST_F(UnderSupervisor, ClientsAreRefusedOnceItHasEndedDuringADrain) {
    const Listener listener = worker.listen("http", ":0");
    const Endpoint endpoint(listener);
    worker.accepts([] {}, [] {});
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for([](const Report& report) { return report.accepting == false; });
    supervisor.hang_up();
    EXPECT_TRUE(is_shut_down_soon(endpoint));
    EXPECT_TRUE(refuses(endpoint));
    in_flight.end();
    EXPECT_EQ(waiter.status(), 0);
}

}  // namespace
}  // namespace holdfast::testing
