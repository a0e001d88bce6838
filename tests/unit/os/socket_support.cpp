#include "socket_support.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace holdfast::os {

TemporaryFolder::TemporaryFolder() : path_("/tmp/hf-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "cannot create a temporary directory";
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void expect_in_child(const std::function<void()>& body) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        body();
        ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the child failed, see above";
}

Listener open_listener(const std::string& text) {
    const auto address = parse_listen_address(text);
    if (!address) {
        ADD_FAILURE() << address.error().text;
        return {};
    }
    auto listeners = open_listeners(*address);
    if (!listeners) {
        ADD_FAILURE() << listeners.error().text;
        return {};
    }
    return std::move(listeners->front());
}

std::string refusal_of(const std::string& text) {
    const auto address = parse_listen_address(text);
    if (!address) return "not an address: " + address.error().text;
    const auto listeners = open_listeners(*address);
    EXPECT_FALSE(listeners) << text;
    return listeners ? "" : listeners.error().text;
}

Client connect_to(const SocketAddress& socket_address) {
    Client client{UniqueFd(::socket(socket_address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)), 0};
    if (::connect(client.fd.get(), socket_address.get(), socket_address.length) != 0) client.error_number = errno;
    return client;
}

Client connect_to_port(std::uint16_t port, const char* host) {
    return connect_to(internet_address(host, port).value());
}
Client connect_to_path(const std::string& path) { return connect_to(unix_address(path).value()); }

Client connect_to(const Listener& listener) {
    if (listener.address.family == Family::inet && listener.address.host.empty()) {
        return connect_to_port(listener.port, "127.0.0.1");
    }
    return connect_to(listener.socket_address);
}

bool serves(const Listener& listener) {
    const Client client = connect_to(listener);
    if (client.error_number != 0 || !becomes_readable(listener.fd.get())) return false;
    const UniqueFd accepted{::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    return static_cast<bool>(accepted);
}

bool is_readable_now(int fd) {
    pollfd state{fd, POLLIN, 0};
    return ::poll(&state, 1, 0) == 1;
}

bool becomes_readable(int fd) {
    constexpr int generous_ms = 10'000;
    pollfd state{fd, POLLIN, 0};
    return ::poll(&state, 1, generous_ms) == 1;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::uint64_t inode_of(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace holdfast::os
