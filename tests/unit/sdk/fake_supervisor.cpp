#include "fake_supervisor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <thread>

#include "wire/wire.hpp"

namespace holdfast::testing {

namespace {

constexpr int listener_fd = 3;  // the first inherited descriptor

}  // namespace

FakeSupervisor::FakeSupervisor(int listener_family) {
    pass_listener(listener_family);
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends.data()) != 0) std::abort();
    fd_ = ends[0];
    worker_fd_ = ends[1];
    struct stat status {};
    ::fstat(worker_fd_, &status);
    ::setenv("HOLDFAST_CONTROL_FD", std::to_string(worker_fd_).c_str(), 1);
    ::setenv("HOLDFAST_CONTROL_INODE", std::to_string(status.st_ino).c_str(), 1);
}

FakeSupervisor::~FakeSupervisor() {
    hang_up();
    if (::getenv("LISTEN_FDS") != nullptr) ::close(listener_fd);  // no worker has taken it
    for (const char* name : {"HOLDFAST_CONTROL_FD", "HOLDFAST_CONTROL_INODE", "HOLDFAST_BOUND_FDS", "LISTEN_FDS",
                             "LISTEN_PID", "LISTEN_FDNAMES"}) {
        ::unsetenv(name);
    }
    take_back_number();
}

void FakeSupervisor::pass_listener(int family) {
    sockaddr_in address{};
    address.sin_family = static_cast<sa_family_t>(family);
    if (family == AF_INET) address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // The kernel chooses the port; of the unix address, of which it is given only the family, all of it.
    const socklen_t length = family == AF_INET ? sizeof address : sizeof address.sin_family;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0) std::abort();
    if (::listen(fd, SOMAXCONN) != 0) std::abort();
    if (fd != listener_fd) {
        moved_fd_ = ::fcntl(listener_fd, F_DUPFD_CLOEXEC, listener_fd + 1);
        ::dup2(fd, listener_fd);
        ::close(fd);
    }
    ::setenv("LISTEN_FDS", "1", 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDNAMES", "http", 1);
    ::setenv("HOLDFAST_BOUND_FDS", std::to_string(listener_fd).c_str(), 1);
}

// The worker has closed its listener, unless a test keeps it or no worker was created.
void FakeSupervisor::take_back_number() {
    if (moved_fd_ < 0) return;
    ::dup2(moved_fd_, listener_fd);
    ::close(moved_fd_);
}

void FakeSupervisor::send_command(const Command& command) { send(wire::encode(command)); }

void FakeSupervisor::send_stage(Stage stage, std::chrono::milliseconds time_left) {
    const auto now = Worker::Clock::now().time_since_epoch();
    const auto deadline = std::chrono::duration_cast<std::chrono::microseconds>(now + time_left).count();
    if (stage == Stage::run) return send_command(Command{});
    send_command({.stage = stage, .deadline_usec = deadline, .kill_usec = deadline, .reason = Reason::restart});
}

void FakeSupervisor::send(std::string_view bytes) {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

void FakeSupervisor::hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void FakeSupervisor::wait_until_read() const {
    int unread = 0;
    EXPECT_TRUE(eventually([&] { return ::ioctl(fd_, SIOCOUTQ, &unread) == 0 && unread == 0; }));
}

Report FakeSupervisor::wait_for(const std::function<bool(const Report&)>& predicate) {
    const auto end = Worker::Clock::now() + long_enough;
    while (Worker::Clock::now() < end) {
        const auto report = next(long_enough);
        if (!report) break;
        if (predicate(*report)) return *report;
    }
    ADD_FAILURE() << "the worker did not send the expected message";
    return {};
}

std::vector<Report> FakeSupervisor::received() {
    std::vector<Report> reports;
    while (const auto report = next(std::chrono::milliseconds(0))) reports.push_back(*report);
    return reports;
}

std::optional<Report> FakeSupervisor::next(std::chrono::milliseconds timeout) {
    std::array<char, max_message_bytes> buffer;
    pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (size <= 0) return std::nullopt;
    const auto decoded = wire::decode_report({buffer.data(), static_cast<std::size_t>(size)}, 0);
    if (const auto* malformed = std::get_if<wire::Malformed>(&decoded)) {
        ADD_FAILURE() << "the worker sent a malformed message: " << malformed->why;
        return std::nullopt;
    }
    return std::get<Report>(decoded);
}

Waiter::Waiter(Worker& worker) : result_(std::async(std::launch::async, [&worker] { return worker.wait(); })) {}

bool Waiter::is_over() { return result_.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }

int Waiter::status() {
    if (result_.wait_for(long_enough) == std::future_status::ready) return result_.get();
    ADD_FAILURE() << "wait() did not return";
    std::_Exit(1);  // the thread in wait() cannot be joined
}

bool eventually(const std::function<bool()>& condition) {
    const auto end = Worker::Clock::now() + long_enough;
    while (!condition()) {
        if (Worker::Clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

}  // namespace holdfast::testing
