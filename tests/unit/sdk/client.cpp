#include "client.hpp"

#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "fake_supervisor.hpp"

namespace holdfast::testing {

Endpoint::Endpoint(const Listener& listener) : fd(::dup(listener.fd())) { refresh(); }

void Endpoint::refresh() {
    length = sizeof address;
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
}

Endpoint::~Endpoint() { ::close(fd); }

int connect_error(const Endpoint& endpoint) {
    const int fd = ::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.length) == 0;
    const int error = is_connected ? 0 : errno;
    ::close(fd);
    return error;
}

Client::Client(const Endpoint& endpoint) : fd_(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval timeout{.tv_sec = long_enough.count(), .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.length), 0);
}

Client::Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Client::~Client() { close(); }

void Client::send(std::string_view bytes) const {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

std::string Client::read_line() const {
    std::string line;
    char byte = 0;
    while (::recv(fd_, &byte, 1, 0) == 1 && byte != '\n') line += byte;
    return line;
}

std::string Client::read_to_end() const {
    std::string bytes;
    std::array<char, 4096> part;
    ssize_t got = 0;
    while ((got = ::recv(fd_, part.data(), part.size(), 0)) > 0) {
        bytes.append(part.data(), static_cast<std::size_t>(got));
    }
    EXPECT_EQ(got, 0) << "the connection was reset, or the read timed out";
    return bytes;
}

void Client::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::vector<Client> connect(const Endpoint& endpoint, std::size_t count) {
    std::vector<Client> clients;
    clients.reserve(count);
    while (clients.size() < count) clients.emplace_back(endpoint);
    return clients;
}

}  // namespace holdfast::testing
