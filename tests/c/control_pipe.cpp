#include "control_pipe.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace holdfast::testing {

namespace {

std::array<int, 2> packet_sockets() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    return ends;
}

std::string receive(int fd) {
    std::array<char, 65536> buffer;
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

void send_all(int fd, std::string_view bytes) {
    EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

}  // namespace

ControlPipe::ControlPipe() {
    const auto ends = packet_sockets();
    fd_ = ends[0];
    struct stat status {};
    ::fstat(ends[1], &status);
    ::setenv("HOLDFAST_CONTROL_FD", std::to_string(ends[1]).c_str(), 1);
    ::setenv("HOLDFAST_CONTROL_INODE", std::to_string(status.st_ino).c_str(), 1);
}

ControlPipe::~ControlPipe() { ::close(fd_); }

void ControlPipe::send_stage(std::string_view stage, std::chrono::milliseconds time_left) const {
    const auto at = std::chrono::steady_clock::now().time_since_epoch() + time_left;
    const std::string usec = std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(at).count());
    const std::string times = stage == "run" ? "" : "\nDEADLINE_USEC=" + usec + "\nKILL_USEC=" + usec;
    send_all(fd_, "STAGE=" + std::string(stage) + times);
}

std::string ControlPipe::wait_for(std::string_view line) const {
    while (becomes_readable(fd_)) {
        std::string message = receive(fd_);
        if (message.empty()) break;
        if (("\n" + message + "\n").find("\n" + std::string(line) + "\n") != std::string::npos) return message;
    }
    ADD_FAILURE() << "the worker did not send " << line;
    return {};
}

bool becomes_readable(int fd) {
    pollfd event{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&event, 1, static_cast<int>(std::chrono::milliseconds(long_enough).count())) > 0;
}

CallRecorder::CallRecorder() {
    const auto ends = packet_sockets();
    read_fd_ = ends[0];
    write_fd_ = ends[1];
}

CallRecorder::~CallRecorder() {
    ::close(read_fd_);
    ::close(write_fd_);
}

void CallRecorder::write(std::string_view text) const { send_all(write_fd_, text); }

std::string CallRecorder::next() const { return becomes_readable(read_fd_) ? receive(read_fd_) : "nothing"; }

std::vector<std::string> CallRecorder::rest() const {
    std::vector<std::string> texts;
    pollfd event{.fd = read_fd_, .events = POLLIN, .revents = 0};
    while (::poll(&event, 1, 0) > 0) texts.push_back(receive(read_fd_));
    return texts;
}

}  // namespace holdfast::testing
