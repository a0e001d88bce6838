#include "misbehaving_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace holdfast::test {
namespace {

void set_cork(int fd, int value) { ::setsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, sizeof value); }

// One request without a body; false at the end of the stream.
bool read_request(int fd) {
    std::string seen;
    char byte = 0;
    while (!seen.ends_with("\r\n\r\n")) {
        if (::recv(fd, &byte, 1, 0) != 1) return false;
        seen += byte;
    }
    return true;
}

void send_all(int fd, const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size()) {
        const ssize_t count = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return;
        sent += static_cast<std::size_t>(count);
    }
}

void reset_on_close(int fd) {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

}  // namespace

MisbehavingServer::MisbehavingServer(std::function<Behaviour(std::uint64_t)> plan, BodyFraming framing)
    : plan_(std::move(plan)), framing_(framing), listener_fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_fd_, any, length) != 0 || ::listen(listener_fd_, 128) != 0 ||
        ::getsockname(listener_fd_, any, &length) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot listen on 127.0.0.1");
    address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    acceptor_ = std::thread([this] { accept_all(); });
}

MisbehavingServer::~MisbehavingServer() {
    ::shutdown(listener_fd_, SHUT_RDWR);
    acceptor_.join();
    {
        const std::lock_guard lock(mutex_);
        for (const int fd : open_fds_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_fd_);
}

void MisbehavingServer::accept_all() {
    while (true) {
        const int fd = ::accept4(listener_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        const std::lock_guard lock(mutex_);
        open_fds_.push_back(fd);
        threads_.emplace_back([this, fd] { serve(fd); });
    }
}

void MisbehavingServer::serve(int connection_fd) {
    std::size_t reused = 0;
    bool open = true;
    while (open && read_request(connection_fd)) {
        const Behaviour behaviour = plan_(requests_++);
        ++done_[reused][static_cast<std::size_t>(behaviour)];
        open = respond(connection_fd, behaviour);
        reused = 1;
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_fds_, connection_fd);
    ::close(connection_fd);
}

// True if the connection stays open.
bool MisbehavingServer::respond(int connection_fd, Behaviour behaviour) const {
    switch (behaviour) {
        case Behaviour::close:
            return false;
        case Behaviour::reset:
            reset_on_close(connection_fd);
            return false;
        case Behaviour::hang:
            return true;  // the next read waits until the client times out
        case Behaviour::truncate_reset:
            send_all(connection_fd, answer(behaviour));  // a reset keeps the bytes in the client's receive queue
            reset_on_close(connection_fd);
            return false;
        case Behaviour::correct_then_close:
            set_cork(connection_fd, 1);  // one segment carries the response and the FIN
            send_all(connection_fd, answer(behaviour));
            return false;
        default:
            send_all(connection_fd, answer(behaviour));
            return behaviour == Behaviour::correct && framing_ != BodyFraming::until_close;
    }
}

std::string MisbehavingServer::answer(Behaviour behaviour) const {
    const std::string head = "HTTP/1.1 200 OK\r\nX-Worker: 7.0.1\r\n";
    switch (behaviour) {
        case Behaviour::status_500:
            return "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        case Behaviour::garbage:
            return "SSH-2.0-OpenSSH_9.2\r\n";
        case Behaviour::truncate_close:
        case Behaviour::truncate_reset:
            return head + (framing_ == BodyFraming::chunked ? "Transfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n"
                                                            : "Content-Length: 100\r\n\r\nOK");
        case Behaviour::correct_connection_close:
            return head + "Connection: close\r\nContent-Length: 2\r\n\r\nOK";
        default:
            break;
    }
    switch (framing_) {
        case BodyFraming::chunked:
            return head + "Transfer-Encoding: chunked\r\n\r\n1\r\nO\r\n1;x=y\r\nK\r\n0\r\n\r\n";
        case BodyFraming::until_close:
            return head + "\r\nOK";
        case BodyFraming::content_length:
            break;
    }
    return head + "Content-Length: 2\r\n\r\nOK";
}

}  // namespace holdfast::test
