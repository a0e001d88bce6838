#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <string_view>
#include <thread>

// The smallest server that can be drained: one thread, one connection at a time, one response per connection.
class MyServer {
  public:
    explicit MyServer(int listener_fd) : listener_fd_(listener_fd), wake_fd_(::eventfd(0, EFD_CLOEXEC)) {}

    ~MyServer() {
        stop_accepting();
        ::close(wake_fd_);
    }

    MyServer(const MyServer&) = delete;
    MyServer& operator=(const MyServer&) = delete;

    // `handler` returns the complete response.
    void serve(std::function<std::string_view()> handler) {
        handler_ = std::move(handler);
        start_accepting();
    }

    // Call it after serve(), or after stop_accepting().
    void start_accepting() {
        thread_ = std::thread([this] { accept_until_stopped(); });
    }

    // Returns when the accept queue is empty and the last connection has been served.
    void stop_accepting() {
        if (!thread_.joinable()) return;
        ::eventfd_write(wake_fd_, 1);
        thread_.join();
        eventfd_t ignored = 0;
        ::eventfd_read(wake_fd_, &ignored);
    }

  private:
    void accept_until_stopped() {
        std::array<pollfd, 2> events{pollfd{listener_fd_, POLLIN, 0}, pollfd{wake_fd_, POLLIN, 0}};
        for (;;) {
            ::poll(events.data(), events.size(), -1);
            if (events[0].revents != 0) {
                accept_one();
            } else if (events[1].revents != 0) {
                return;
            }
        }
    }

    void accept_one() {
        ::fcntl(listener_fd_, F_SETFL, ::fcntl(listener_fd_, F_GETFL) | O_NONBLOCK);
        const int client = ::accept4(listener_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) return;
        const timeval timeout{.tv_sec = 5, .tv_usec = 0};
        ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        std::array<char, 4096> bytes;
        const std::string_view response = ::recv(client, bytes.data(), bytes.size(), 0) > 0 ? handler_() : "";
        ::send(client, response.data(), response.size(), MSG_NOSIGNAL);
        ::shutdown(client, SHUT_WR);
        while (::recv(client, bytes.data(), bytes.size(), 0) > 0) continue;
        ::close(client);
    }

    const int listener_fd_;
    const int wake_fd_;
    std::function<std::string_view()> handler_;
    std::thread thread_;
};
