#include "os/notify_socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "os/service_manager.hpp"
#include "socket_support.hpp"

namespace holdfast::os {
namespace {

// Sends like sd_notify(3).
bool notify(const std::string& address, std::string_view text) {
    const SocketAddress socket_address =
        address[0] == '@' ? abstract_address(address.substr(1)).value() : unix_address(address).value();
    const UniqueFd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    return ::sendto(fd.get(), text.data(), text.size(), MSG_NOSIGNAL, socket_address.get(), socket_address.length) >= 0;
}

TEST(NotifySocket, ReceivesMessageAndSender) {
    const TemporaryFolder folder;
    std::array<char, 64> buffer{};
    const NotifySocket socket = NotifySocket::open(folder.path(), "1.0").value();
    EXPECT_EQ(socket.address(), folder / "notify-1.0");
    EXPECT_EQ(socket.receive(buffer).arrival, Arrival::nothing);
    ASSERT_TRUE(notify(socket.address(), "READY=1"));
    const Packet packet = socket.receive(buffer);
    EXPECT_EQ(packet.bytes, "READY=1");
    ASSERT_TRUE(packet.sender);
    EXPECT_EQ(packet.sender->pid, ::getpid());
    EXPECT_EQ(packet.sender->uid, ::geteuid());
}

TEST(NotifySocket, AcceptsMessagesOfAWorkerOfAnotherUser) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can change the user";
    const TemporaryFolder folder;
    ::chmod(folder.path().c_str(), 0711);
    std::array<char, 64> buffer{};
    const NotifySocket socket = NotifySocket::open(folder.path(), "1.0").value();
    expect_in_child([&] {
        ASSERT_EQ(::setuid(12345), 0);
        EXPECT_TRUE(notify(socket.address(), "READY=1"));
    });
    const Packet packet = socket.receive(buffer);
    ASSERT_TRUE(packet.sender);
    EXPECT_EQ(packet.sender->uid, 12345U);
}

TEST(NotifySocket, EmptyDatagramIsNotTheEnd) {
    const TemporaryFolder folder;
    std::array<char, 64> buffer{};
    const NotifySocket socket = NotifySocket::open(folder.path(), "1.0").value();
    ASSERT_TRUE(notify(socket.address(), ""));
    EXPECT_EQ(socket.receive(buffer).arrival, Arrival::empty);
    EXPECT_EQ(socket.receive(buffer).arrival, Arrival::nothing);
}

TEST(NotifySocket, ReplacesAStaleSocketAndRemovesItsFile) {
    const TemporaryFolder folder;
    {
        const UniqueFd dead{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
        const SocketAddress socket_address = unix_address(folder / "notify-1.0").value();
        ASSERT_EQ(::bind(dead.get(), socket_address.get(), socket_address.length), 0);
    }
    {
        NotifySocket socket = NotifySocket::open(folder.path(), "1.0").value();
        EXPECT_TRUE(notify(folder / "notify-1.0", "x"));
        const NotifySocket moved = std::move(socket);
        EXPECT_TRUE(exists(folder / "notify-1.0"));
    }
    EXPECT_FALSE(exists(folder / "notify-1.0"));
}

TEST(NotifySocket, IsAbstractIfThePathIsTooLong) {
    for (const std::string& directory : {std::string(), "/tmp/" + std::string(110, 'x')}) {
        std::array<char, 64> buffer{};
        const NotifySocket socket = NotifySocket::open(directory, "1.0").value();
        EXPECT_EQ(socket.address()[0], '@');
        ASSERT_TRUE(notify(socket.address(), "READY=1"));
        EXPECT_EQ(socket.receive(buffer).bytes, "READY=1");
    }
}

class ServiceManagerTest : public testing::TestWithParam<bool> {};

TEST_P(ServiceManagerTest, ReceivesMessagesAndTheVariableIsUnset) {
    const TemporaryFolder folder;
    std::array<char, 64> buffer{};
    const NotifySocket manager = NotifySocket::open(GetParam() ? folder.path() : "", "manager").value();
    ::setenv("NOTIFY_SOCKET", manager.address().c_str(), 1);
    const ServiceManager ours = ServiceManager::from_environment().value();
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
    EXPECT_TRUE(ours.is_there());
    EXPECT_EQ(ours.notify("READY=1\nSTATUS=x"), SendResult::sent);
    EXPECT_EQ(manager.receive(buffer).bytes, "READY=1\nSTATUS=x");
}

INSTANTIATE_TEST_SUITE_P(PathAndAbstract, ServiceManagerTest, testing::Bool());

TEST(ServiceManager, ThatDoesNotReadDoesNotBlockNotify) {
    const NotifySocket manager = NotifySocket::open("", "").value();
    ::setenv("NOTIFY_SOCKET", manager.address().c_str(), 1);
    const ServiceManager ours = ServiceManager::from_environment().value();
    SendResult sent = SendResult::sent;
    for (int count = 0; sent == SendResult::sent && count < 100'000; ++count) sent = ours.notify("STATUS=x");
    EXPECT_EQ(sent, SendResult::full);
}

TEST(ServiceManager, ThatDoesNotExistIsNotAnError) {
    ::unsetenv("NOTIFY_SOCKET");
    const auto nobody = ServiceManager::from_environment();
    ASSERT_TRUE(nobody);
    EXPECT_FALSE(nobody->is_there());
    EXPECT_EQ(nobody->notify("READY=1"), SendResult::lost);
    ::setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
    EXPECT_EQ(ServiceManager::from_environment()->notify("READY=1"), SendResult::lost);
}

TEST(ServiceManager, WithAMalformedAddressIsAnError) {
    ::setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
    EXPECT_THAT(ServiceManager::from_environment().error().text, testing::HasSubstr("NOTIFY_SOCKET is neither a path"));
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
}

}  // namespace
}  // namespace holdfast::os
