// Probes of a host on which workers replace each other.

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <holdfast/worker.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wire/wire.hpp"

namespace holdfast::testing {
namespace {

class ProbedPort {
  public:
    ProbedPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int yes = 1;
        ::setsockopt(fd_, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(fd_, reinterpret_cast<sockaddr*>(&address_), sizeof address_) != 0) std::abort();
        socklen_t length = sizeof address_;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &length);
    }
    ~ProbedPort() { ::close(fd_); }
    ProbedPort(const ProbedPort&) = delete;
    ProbedPort& operator=(const ProbedPort&) = delete;

    std::string text() const { return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }

    bool answers_ready() const {
        constexpr std::string_view request = "GET /readyz HTTP/1.1\r\n\r\n", good = "HTTP/1.1 200 OK";
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        std::array<char, good.size()> answer{};
        const bool is_good =
            ::connect(fd, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0 &&
            ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()) &&
            ::recv(fd, answer.data(), answer.size(), MSG_WAITALL) == static_cast<ssize_t>(answer.size()) &&
            std::string_view(answer.data(), answer.size()) == good;
        ::close(fd);
        return is_good;
    }

  private:
    int fd_;
    sockaddr_in address_{};
};

// A process that probes the port until stop(). Forked, because this process forks workers meanwhile.
class Prober {
  public:
    explicit Prober(const ProbedPort& port) {
        if (::pipe2(results_.data(), O_CLOEXEC) != 0 || ::pipe2(stop_.data(), O_CLOEXEC) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) probe(port);
        ::close(results_[1]);
        ::close(stop_[0]);
    }
    Prober(const Prober&) = delete;
    Prober& operator=(const Prober&) = delete;

    struct Count {
        int probes = 0;
        int failures = 0;
    };
    Count stop() {
        Count count;
        EXPECT_EQ(::write(stop_[1], "x", 1), 1);  // others have inherited that end, so closing it says nothing
        ::close(stop_[1]);
        EXPECT_EQ(::read(results_[0], &count, sizeof count), static_cast<ssize_t>(sizeof count));
        ::close(results_[0]);
        ::waitpid(pid_, nullptr, 0);
        return count;
    }

  private:
    [[noreturn]] void probe(const ProbedPort& port) {
        ::close(stop_[1]);
        Count count;
        pollfd stop{.fd = stop_[0], .events = POLLIN, .revents = 0};
        for (; ::poll(&stop, 1, 0) == 0; ++count.probes) {
            if (!port.answers_ready()) ++count.failures;
        }
        static_cast<void>(::write(results_[1], &count, sizeof count));
        std::_Exit(0);
    }

    std::array<int, 2> results_{}, stop_{};
    pid_t pid_ = -1;
};

// A worker process and the supervisor's end of its control pipe.
class WorkerProcess {
  public:
    explicit WorkerProcess(const ProbedPort& port) {
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(ends[0]);
            work(ends[1], port);
        }
        ::close(ends[1]);
        control_ = ends[0];
        wait_for("READY=1");
    }
    WorkerProcess(WorkerProcess&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)), control_(std::exchange(other.control_, -1)) {}
    WorkerProcess& operator=(WorkerProcess&& other) noexcept {
        std::swap(pid_, other.pid_);
        std::swap(control_, other.control_);
        return *this;
    }
    ~WorkerProcess() {
        if (pid_ < 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        ::close(control_);
    }

    void send(Stage stage) const {
        Command command{.stage = stage, .deadline_usec = {}, .kill_usec = {}, .reason = {}};
        if (stage != Stage::run) command.reason = Reason::restart;
        const std::string packet = wire::encode(command);
        EXPECT_EQ(::send(control_, packet.data(), packet.size(), MSG_NOSIGNAL), static_cast<ssize_t>(packet.size()));
        if (stage == Stage::pause) wait_for("X_HOLDFAST_ACCEPTING=0");
        if (stage == Stage::run) wait_for("X_HOLDFAST_ACCEPTING=1");
    }

    void leave() {
        send(Stage::drain);
        ::waitpid(std::exchange(pid_, -1), nullptr, 0);
        ::close(control_);
    }

  private:
    void wait_for(std::string_view key) const {
        std::array<char, max_message_bytes> packet;
        ssize_t size = 0;
        while ((size = ::recv(control_, packet.data(), packet.size(), 0)) > 0) {
            if (std::string_view(packet.data(), static_cast<std::size_t>(size)).find(key) != std::string_view::npos)
                return;
        }
        ADD_FAILURE() << "the worker ended before it sent " << key;
    }

    [[noreturn]] static void work(int control, const ProbedPort& port) {
        struct stat status {};
        ::fstat(control, &status);
        ::setenv("HOLDFAST_CONTROL_FD", std::to_string(control).c_str(), 1);
        ::setenv("HOLDFAST_CONTROL_INODE", std::to_string(status.st_ino).c_str(), 1);
        int result = 1;
        {
            Worker worker({.health = port.text()});
            worker.accepts([] {}, [] {});
            worker.ready();
            result = worker.wait();
        }
        std::_Exit(result);
    }

    pid_t pid_ = -1;
    int control_ = -1;
};

TEST(HealthOfAHost, IsGoodOverManyRestarts) {
    const ProbedPort port;
    WorkerProcess current(port);
    std::vector<std::unique_ptr<Prober>> probers;
    for (int i = 0; i < 3; ++i) probers.push_back(std::make_unique<Prober>(port));
    for (int i = 0; i < 30; ++i) {
        WorkerProcess successor(port);
        current.send(Stage::pause);
        if (i % 3 == 0) {  // the successor fails: the restart is taken back
            current.send(Stage::run);
            successor.leave();
            continue;
        }
        current.leave();
        current = std::move(successor);
    }
    for (const auto& prober : probers) {
        const auto count = prober->stop();
        EXPECT_GT(count.probes, 0);
        EXPECT_EQ(count.failures, 0) << "of " << count.probes;
    }
}

}  // namespace
}  // namespace holdfast::testing
