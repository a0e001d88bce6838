// The listener for the readiness probes of one worker.

#include "os/probe_listener.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "os/connect.hpp"
#include "socket_support.hpp"

namespace holdfast::os {
namespace {

bool is_empty(const std::string& path) { return std::filesystem::is_empty(path); }

// The result of a connection attempt.
int connect_result(const ProbeListener& listener) {
    const auto socket = begin_connect(listener.address());
    return socket ? connect_outcome(socket->get()) : socket.error().code;
}

TEST(ProbeListener, IsCreatedInTheDirectoryForOurUidOnly) {
    const TemporaryFolder folder;
    {
        const auto listener = ProbeListener::open(folder.path(), "17");
        ASSERT_TRUE(listener) << listener.error().text;
        struct stat status {};
        ASSERT_EQ(::stat((folder / "probe-17").c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777, 0600U);
        EXPECT_EQ(connect_result(*listener), 0);
    }
    EXPECT_TRUE(is_empty(folder.path()));
}

TEST(ProbeListener, ReplacesAStaleSocket) {
    const TemporaryFolder folder;
    std::filesystem::create_symlink("nowhere", folder / "probe-17");
    const auto listener = ProbeListener::open(folder.path(), "17");
    ASSERT_TRUE(listener) << listener.error().text;
    EXPECT_EQ(connect_result(*listener), 0);
}

TEST(ProbeListener, CreatesADirectoryIfNoneIsGiven) {
    const TemporaryFolder folder;
    {
        const auto listener = ProbeListener::open("", "17", folder.path());
        ASSERT_TRUE(listener) << listener.error().text;
        const auto made = std::filesystem::directory_iterator(folder.path())->path();
        struct stat status {};
        ASSERT_EQ(::stat(made.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777, 0700U);
        EXPECT_EQ(connect_result(*listener), 0);
    }
    EXPECT_TRUE(is_empty(folder.path()));
}

TEST(ProbeListener, CreatesADirectoryIfThePathIsTooLong) {
    const TemporaryFolder folder;
    const auto listener = ProbeListener::open(folder / std::string(120, 'x'), "17", folder.path());
    ASSERT_TRUE(listener) << listener.error().text;
    EXPECT_EQ(connect_result(*listener), 0);
}

TEST(ProbeListener, ReportsWhyItCannotBeBound) {
    const auto listener = ProbeListener::open("/nowhere/at/all", "17");
    ASSERT_FALSE(listener);
    EXPECT_EQ(listener.error().text, "cannot bind /nowhere/at/all/probe-17: No such file or directory");
}

TEST(ProbeListener, IsFullAfterAFewConnectionsThatAreNotAccepted) {
    const TemporaryFolder folder;
    const auto listener = ProbeListener::open(folder.path(), "17");
    ASSERT_TRUE(listener);
    int outcome = 0;
    for (int count = 0; count < 100 && outcome == 0; ++count) outcome = connect_result(*listener);
    // Connections that the client has closed stay in the queue.
    EXPECT_EQ(outcome, EAGAIN);
}

// The kernel chooses a client's port from a range that contains the requested port: bound to it, the socket connects to
// itself.
TEST(Connect, ToItselfIsRefused) {
    const UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto any = internet_address("127.0.0.1", 0);
    ASSERT_EQ(::bind(socket.get(), any->get(), any->length), 0);
    const auto own = bound_address(socket.get());
    ASSERT_EQ(::connect(socket.get(), own->get(), own->length), 0);
    EXPECT_EQ(connect_outcome(socket.get()), ECONNREFUSED);
}

TEST(Connect, SucceedsIfAServerListens) {
    const Listener listener = open_listener("127.0.0.1:0");
    const auto socket = begin_connect(listener.socket_address);
    ASSERT_TRUE(socket);
    pollfd decided{socket->get(), POLLOUT, 0};
    ASSERT_EQ(::poll(&decided, 1, -1), 1);
    EXPECT_EQ(connect_outcome(socket->get()), 0);
}

}  // namespace
}  // namespace holdfast::os
