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

Client::Client(const Endpoint& endpoint, int receive_buffer)
    : fd_(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval timeout{.tv_sec = long_enough.count(), .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&endpoint.address), endpoint.length), 0);
}

Client::Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Client::~Client() { close(); }

void Client::send(std::string_view bytes) const {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

bool Client::try_send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string Client::read_some(std::size_t most) const {
    std::string bytes(most, '\0');
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
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

void Client::reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
}

std::vector<Client> connect(const Endpoint& endpoint, std::size_t count) {
    std::vector<Client> clients;
    clients.reserve(count);
    while (clients.size() < count) clients.emplace_back(endpoint);
    return clients;
}

}  // namespace holdfast::testing
