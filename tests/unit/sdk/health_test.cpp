#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <holdfast/worker.hpp>
#include <latch>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "call_recorder.hpp"
#include "fake_supervisor.hpp"
#include "health.hpp"
#include "poller.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A free port of 127.0.0.1. Reserved with SO_REUSEPORT, so that no other program gets it.
class Port {
  public:
    Port() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int yes = 1;
        ::setsockopt(fd_, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::bind(fd_, reinterpret_cast<sockaddr*>(&address_), sizeof address_);
        socklen_t length = sizeof address_;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &length);
    }
    ~Port() {
        if (fd_ >= 0) ::close(fd_);
    }
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    std::string text() const { return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }

    int connect() const {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
        return fd;
    }

    // The errno of connect(2), or 0.
    int connect_error() const {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool is_open = ::connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0;
        const int error = is_open ? 0 : errno;
        ::close(fd);
        return error;
    }

    // A socket that listens here as another worker does. Its owner closes it.
    int listen_as_another() const {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        const int yes = 1;
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
        EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
        EXPECT_EQ(::listen(fd, SOMAXCONN), 0);
        return fd;
    }

    // A socket that shares the port with nobody.
    int take() {
        ::close(std::exchange(fd_, -1));
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int yes = 1;  // former connections may linger
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
        EXPECT_EQ(::listen(fd, 1), 0);
        return fd;
    }

    std::string ask(const std::string& request) const {
        const int fd = connect();
        EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
        std::string answer;
        char bytes[512];
        for (ssize_t size = 0; (size = ::recv(fd, bytes, sizeof bytes, 0)) > 0;) {
            answer.append(bytes, static_cast<std::size_t>(size));
        }
        ::close(fd);
        return answer;
    }
    std::string get(const std::string& path) const { return ask("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"); }

  private:
    int fd_;
    sockaddr_in address_{};
};

struct HealthProbes : ::testing::Test {
    FakeSupervisor supervisor;
    Port port;
    Worker worker{WorkerOptions{.health = port.text()}};
};

TEST_F(HealthProbes, AreLiveAlwaysAndReadyAfterReady) {
    EXPECT_THAT(port.get("/livez"), StartsWith("HTTP/1.1 200 OK"));
    EXPECT_THAT(port.get("/readyz"), StartsWith("HTTP/1.1 503"));
    worker.ready();
    EXPECT_THAT(port.get("/readyz"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HealthProbes, AreUnreadyAtLameDuckAndReadyAfterRun) {
    std::atomic<bool> is_lame_duck = false;
    worker.on_lame_duck([&] { is_lame_duck = true; });
    worker.ready();
    supervisor.send_command({.stage = Stage::lame_duck, .deadline_usec = {}, .kill_usec = {}, .reason = Reason::stop});
    ASSERT_TRUE(eventually([&] { return is_lame_duck.load(); }));
    EXPECT_THAT(port.get("/readyz"), StartsWith("HTTP/1.1 503"));
    EXPECT_THAT(port.get("/livez"), StartsWith("HTTP/1.1 200 OK"));
    supervisor.send_stage(Stage::run);
    supervisor.wait_for([](const Report& report) { return accepts(report) && !report.ready; });
    EXPECT_THAT(port.get("/readyz"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(HealthProbes, AnswerInvalidRequestsWithAnError) {
    EXPECT_THAT(port.get("/"), StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(port.ask("POST /livez HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405"));
    EXPECT_THAT(port.ask("\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(port.ask(std::string(9000, 'x')), HasSubstr("400"));
    EXPECT_THAT(port.ask("HEAD /livez HTTP/1.0\r\n\r\n"), HasSubstr("Content-Length: 0"));
}

// Silent connections do not displace active ones.
TEST_F(HealthProbes, AreAnsweredDespiteManySilentConnections) {
    std::vector<int> silent;
    for (int i = 0; i < 200; ++i) silent.push_back(port.connect());
    EXPECT_THAT(port.get("/livez"), StartsWith("HTTP/1.1 200 OK"));
    for (const int fd : silent) ::close(fd);
}

TEST_F(HealthProbes, AreAnsweredWhileACallbackHangs) {
    std::latch hangs(1), may_end(1);
    worker.on_drain([&] {
        hangs.count_down();
        may_end.wait();
    });
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_command({.stage = Stage::drain, .deadline_usec = {}, .kill_usec = {}, .reason = Reason::stop});
    hangs.wait();
    EXPECT_THAT(port.get("/livez"), StartsWith("HTTP/1.1 200 OK"));
    EXPECT_THAT(port.get("/readyz"), StartsWith("HTTP/1.1 503"));
    may_end.count_down();
    EXPECT_EQ(waiter.status(), 0);
}

struct LeavingWorker : HealthProbes, ::testing::WithParamInterface<Stage> {
    void leave(std::optional<Reason> reason) {
        supervisor.send_command({.stage = GetParam(), .deadline_usec = {}, .kill_usec = {}, .reason = reason});
    }
    // Is answered after the command before it.
    void run() {
        supervisor.send_stage(Stage::run);
        supervisor.wait_for([](const Report& report) { return accepts(report) && !report.ready; });
    }
};
INSTANTIATE_TEST_SUITE_P(At, LeavingWorker, ::testing::Values(Stage::lame_duck, Stage::pause, Stage::drain),
                         [](const auto& stage) { return "stage" + std::to_string(static_cast<int>(stage.param)); });

TEST_P(LeavingWorker, LetsItsSuccessorAnswerNewProbes) {
    worker.accepts([] {}, [] {});
    Request in_flight = worker.begin_request("GET /");
    worker.ready();
    Waiter waiter(worker);
    const int open = port.connect();
    EXPECT_THAT(port.get("/readyz"), StartsWith("HTTP/1.1 200 OK"));  // by then the other one is accepted
    leave(Reason::restart);
    EXPECT_TRUE(eventually([&] { return port.connect_error() == ECONNREFUSED; }));
    const std::string request = "GET /readyz HTTP/1.1\r\n\r\n";
    EXPECT_EQ(::send(open, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    char answer[16] = "";
    EXPECT_EQ(::recv(open, answer, 15, MSG_WAITALL), 15);
    EXPECT_STREQ(answer, "HTTP/1.1 200 OK");
    ::close(open);
    run();
    EXPECT_THAT(port.get("/readyz"), StartsWith("HTTP/1.1 200 OK"));
    supervisor.send_stage(Stage::drain);
    in_flight.end();
    EXPECT_EQ(waiter.status(), 0);
}

TEST_P(LeavingWorker, AnswersItselfIfItHasNoSuccessor) {
    worker.accepts([] {}, [] {});
    const Session holds_the_drain = worker.begin_session("stream");
    worker.ready();
    for (const std::optional<Reason> reason : {std::optional(Reason::stop), std::optional<Reason>()}) {
        leave(reason);
        EXPECT_TRUE(eventually([&] { return port.get("/readyz").starts_with("HTTP/1.1 503"); }));
        EXPECT_THAT(port.get("/livez"), StartsWith("HTTP/1.1 200 OK"));
        run();
    }
}

TEST_F(HealthProbes, AreNotAnsweredByACancelledWorkerWithASuccessor) {
    Request in_flight = worker.begin_request("GET /");
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::cancel);
    EXPECT_TRUE(eventually([&] { return port.connect_error() == ECONNREFUSED; }));
    in_flight.end();
    EXPECT_EQ(waiter.status(), 3);
}

TEST_F(HealthProbes, CannotComeBackToAPortThatIsTaken) {
    worker.accepts([] {}, [] {});
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::pause);
    EXPECT_TRUE(eventually([&] { return port.connect_error() == ECONNREFUSED; }));
    const int taken = port.take();
    supervisor.send_stage(Stage::run);
    supervisor.wait_for([](const Report& report) { return accepts(report) && !report.ready; });
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(waiter.status(), 0);
    ::close(taken);
}

// A worker that is not ready would answer 503 for a host that serves.
TEST(HealthOfASuccessor, IsServedOnceItIsReady) {
    const Port port;
    const int other = port.listen_as_another();
    const auto accepted = [&] {
        int count = 0;
        for (int fd = -1; (fd = ::accept(other, nullptr, nullptr)) >= 0; ++count) ::close(fd);
        return count;
    };
    Worker worker({.health = port.text()});
    accepted();
    constexpr int probes = 64;
    for (int i = 0; i < probes; ++i) ::close(port.connect());
    EXPECT_EQ(accepted(), probes);
    worker.ready();
    for (int i = 0; i < probes; ++i) ::close(port.connect());
    EXPECT_LT(accepted(), probes);
    ::close(other);
    EXPECT_THAT(port.get("/readyz"), StartsWith("HTTP/1.1 200 OK"));
}

// Without a free descriptor the control thread must not spin, and the client is answered once a descriptor is free.
TEST(HealthWithoutADescriptor, PausesAndResumes) {
    const Port port;
    Poller poller;
    Health health(port.text(), poller, [] { return true; });
    const auto handle_events = [&] {
        const auto events = poller.wait(Poller::Timeout::zero);
        for (const epoll_event& event : events) health.handle(event);
        return events.size();
    };
    const int client = port.connect();
    const std::string request = "GET /livez HTTP/1.1\r\n\r\n";
    ASSERT_EQ(::send(client, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    rlimit usual{};
    ::getrlimit(RLIMIT_NOFILE, &usual);
    const rlimit none{.rlim_cur = static_cast<rlim_t>(client) + 1, .rlim_max = usual.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    EXPECT_EQ(handle_events(), 1U);
    EXPECT_EQ(handle_events(), 0U);  // although the client is queued
    const auto again = health.close_expired(Health::Clock::now());
    ::setrlimit(RLIMIT_NOFILE, &usual);
    ASSERT_TRUE(again.has_value());
    health.close_expired(*again);
    for (int i = 0; i < 3; ++i) handle_events();
    char answer[16] = "";
    EXPECT_EQ(::recv(client, answer, 15, MSG_DONTWAIT), 15);
    EXPECT_STREQ(answer, "HTTP/1.1 200 OK");
    ::close(client);
}

TEST(HealthAddress, OfTheEnvironmentOverridesAndIsChecked) {
    const Port port;
    ::setenv("HOLDFAST_HEALTH", port.text().c_str(), 1);
    {
        const Worker worker({.health = "this is none"});
        EXPECT_THAT(port.get("/livez"), StartsWith("HTTP/1.1 200 OK"));
    }
    ::setenv("HOLDFAST_HEALTH", "over there", 1);
    EXPECT_THROW(const Worker worker, std::invalid_argument);
    ::unsetenv("HOLDFAST_HEALTH");
}

TEST(StandaloneHealth, IsUnreadyAtLameDuckBeforeTheDrain) {
    const Port port;
    Worker worker({.lame_duck = 50ms, .health = port.text()});
    std::vector<std::string> stages;
    worker.on_lame_duck([&] {
        stages.emplace_back("lame-duck");
        EXPECT_FALSE(worker.draining());
        EXPECT_THAT(port.get("/readyz"), StartsWith("HTTP/1.1 503"));
    });
    worker.on_drain([&] { stages.emplace_back("drain"); });
    worker.ready();
    ::raise(SIGTERM);
    EXPECT_EQ(worker.wait(), 0);
    EXPECT_THAT(stages, ::testing::ElementsAre("lame-duck", "drain"));
}

}  // namespace
}  // namespace holdfast::testing
