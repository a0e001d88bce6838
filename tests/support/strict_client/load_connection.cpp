#include "load_connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "clock.hpp"

namespace holdfast::test {
namespace {

Failure classify_connect_error(int error_number) {
    switch (error_number) {
        case ECONNREFUSED:
            return Failure::refused;
        case ECONNRESET:  // connected, and reset before this check
        case EPIPE:
            return Failure::reset_on_fresh;
        case ENOENT:
            return Failure::no_such_path;
        case ETIMEDOUT:
            return Failure::connect_timed_out;
        default:
            return Failure::other;
    }
}

// The time since the kernel received the last bytes. A client that did not get CPU time may have read them later.
Duration age_of_last_bytes(int fd) {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return Duration{0};  // a unix socket
    return std::chrono::milliseconds(info.tcpi_last_data_recv);
}

}  // namespace

void LoadConnection::begin(const ServerAddress& server, int epoll_fd, std::uint64_t tag, std::string request,
                           Network network) {
    server_ = &server;
    epoll_fd_ = epoll_fd;
    tag_ = tag;
    request_ = std::move(request);
    sent_ = 0;
    opened_ = found_closed_ = false;
    pause_.reset();
    parser_.reset();
    if (fd_ >= 0 && !is_still_open()) {
        if (phase_ == Phase::failed) return;
        found_closed_ = true;
        close();
    }
    if (fd_ < 0) return retry_connect();
    phase_ = Phase::in_transit;
    if (network == Network::immediate) deliver();
}

void LoadConnection::deliver() {
    measure_pause();
    phase_ = Phase::sending;
    drive();
}

void LoadConnection::measure_pause() {
    const Instant now = read_clock();
    pause_ = std::max(now - answered_, age_of_last_bytes(fd_));
}

bool LoadConnection::is_still_open() {
    char byte = 0;
    const ssize_t seen = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (seen > 0) fail(Failure::malformed, "bytes without a request");
    return seen < 0 && errno == EAGAIN;
}

void LoadConnection::retry_connect() {
    close();
    fd_ = ::socket(server_->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return fail(Failure::other, "socket: " + std::string(std::strerror(errno)));
    opened_ = true;
    is_reused_ = false;
    phase_ = Phase::connecting;
    if (::connect(fd_, server_->data(), server_->length) != 0 && errno != EINPROGRESS) {
        const int error_number = errno;
        if (server_->family() == AF_UNIX && error_number == EAGAIN) {
            close();
            phase_ = Phase::queue_full;
            return;
        }
        return fail(classify_connect_error(error_number), "connect: " + std::string(std::strerror(error_number)));
    }
    const linger reset_on_close{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset_on_close, sizeof reset_on_close);
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = tag_}};
    if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd_, &event) != 0)
        return fail(Failure::other, "epoll_ctl: " + std::string(std::strerror(errno)));
    if (server_->family() == AF_UNIX) drive();
}

void LoadConnection::on_event() {
    if (phase_ == Phase::connecting || phase_ == Phase::sending || phase_ == Phase::receiving) drive();
}

void LoadConnection::drive() {
    if (phase_ == Phase::connecting && !finish_connecting()) return;
    if (phase_ == Phase::sending && !send_more()) return;
    if (phase_ == Phase::receiving) receive_more();
}

bool LoadConnection::finish_connecting() {
    int error_number = 0;
    socklen_t length = sizeof error_number;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error_number, &length);
    if (error_number != 0) {
        fail(classify_connect_error(error_number), "connect: " + std::string(std::strerror(error_number)));
        return false;
    }
    sockaddr_storage peer{};
    socklen_t peer_length = sizeof peer;
    if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&peer), &peer_length) != 0) return false;  // not yet
    phase_ = Phase::sending;
    return true;
}

bool LoadConnection::send_more() {
    while (sent_ < request_.size()) {
        const ssize_t count = ::send(fd_, request_.data() + sent_, request_.size() - sent_, MSG_NOSIGNAL);
        if (count >= 0) {
            sent_ += static_cast<std::size_t>(count);
        } else if (errno == EAGAIN) {
            return false;
        } else if (errno == EPIPE) {
            break;  // the peer has closed; the bytes that it sent are read below and determine the failure class
        } else if (errno != EINTR) {
            connection_error(errno);
            return false;
        }
    }
    has_sent_ = sent_ == request_.size();
    phase_ = Phase::receiving;
    return true;
}

void LoadConnection::receive_more() {
    char bytes[16 * 1024];
    while (phase_ == Phase::receiving) {
        const ssize_t count = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
        if (count == 0) return end_of_stream();
        if (count < 0) {
            if (errno == EAGAIN) return;
            if (errno != EINTR) return connection_error(errno);
            continue;
        }
        const auto state = parser_.feed(std::string_view(bytes, static_cast<std::size_t>(count)));
        if (state == ResponseParser::State::malformed) return fail(Failure::malformed, parser_.fault());
        if (state != ResponseParser::State::complete) continue;
        if (parser_.status() != 200) return fail(Failure::bad_status, "status " + std::to_string(parser_.status()));
        answered_ = read_clock();
        phase_ = Phase::succeeded;
    }
}

void LoadConnection::end_of_stream() {
    if (parser_.end_of_stream() == ResponseParser::State::complete) {
        if (parser_.status() != 200) return fail(Failure::bad_status, "status " + std::to_string(parser_.status()));
        phase_ = Phase::succeeded;
        return;
    }
    if (parser_.has_bytes()) return fail(Failure::truncated, "the stream ended inside the response");
    fail(is_reused_ ? Failure::closed_on_reused : Failure::closed_on_fresh, "closed before any byte of the response");
}

void LoadConnection::connection_error(int error_number) {
    const std::string text = std::strerror(error_number);
    if (error_number != ECONNRESET && error_number != EPIPE) return fail(Failure::other, text);
    if (parser_.has_bytes()) return fail(Failure::truncated, "reset inside the response");
    fail(is_reused_ ? Failure::reset_on_reused : Failure::reset_on_fresh, "reset before any byte of the response");
}

void LoadConnection::time_out() {
    if (phase_ == Phase::connecting || phase_ == Phase::queue_full)
        return fail(Failure::connect_timed_out, "not connected in time");
    fail(Failure::timed_out, parser_.has_bytes() ? "incomplete response" : "no byte of a response");
}

void LoadConnection::fail(Failure failure, std::string detail) {
    phase_ = Phase::failed;
    failure_ = failure;
    detail_ = std::move(detail);
}

void LoadConnection::finish() {
    if (phase_ == Phase::succeeded && parser_.keeps_connection()) {
        is_reused_ = true;
    } else {
        close();
    }
    phase_ = Phase::idle;
}

void LoadConnection::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

}  // namespace holdfast::test
