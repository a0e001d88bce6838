// Refusing clients and listening again, and listeners that a worker has shut down.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "os/listener.hpp"
#include "os/listener_watch.hpp"
#include "socket_support.hpp"

namespace holdfast::os {
namespace {

// 0 at the end of the file, or the errno of a reset: either one tells the client that it will not be served.
bool was_hung_up_on(const Client& client) {
    char byte = 0;
    return becomes_readable(client.fd.get()) && ::recv(client.fd.get(), &byte, 1, 0) <= 0;
}

TEST(RefusedListener, RefusesTcpClientsAtOnceAndListensAgainOnTheSamePort) {
    Listener listener = open_listener("127.0.0.1:0");
    const std::uint16_t port = listener.port;
    const Client queued = connect_to(listener);
    ASSERT_TRUE(refuse(listener));
    EXPECT_TRUE(was_hung_up_on(queued));
    EXPECT_EQ(connect_to_port(port, "127.0.0.1").error_number, ECONNREFUSED);
    EXPECT_TRUE(is_shut_down(listener));
    EXPECT_EQ(listen_again(listener), Revival::revived);
    EXPECT_FALSE(is_shut_down(listener));
    EXPECT_EQ(port_of(bound_address(listener.fd.get()).value()), port);
    EXPECT_TRUE(serves(listener));
}

TEST(RefusedListener, KeepsItsPortEvenIfTheKernelChoseIt) {
    Listener listener = open_listener("127.0.0.1:0");
    refuse(listener);
    const UniqueFd other{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(::bind(other.get(), listener.socket_address.get(), listener.socket_address.length), -1);
    EXPECT_EQ(errno, EADDRINUSE);
}

TEST(RefusedListener, ListensAgainForBothProtocolsIfItIsDualStack) {
    Listener listener = open_listener(":0");
    refuse(listener);
    EXPECT_EQ(connect_to_port(listener.port, "::1").error_number, ECONNREFUSED);
    ASSERT_EQ(listen_again(listener), Revival::revived);
    EXPECT_EQ(connect_to_port(listener.port, "::1").error_number, 0);
    EXPECT_EQ(connect_to_port(listener.port, "127.0.0.1").error_number, 0);
}

TEST(RefusedListener, RestoresTheBacklog) {
    Listener listener = open_listener("127.0.0.1:0?backlog=77");
    refuse(listener);
    ASSERT_EQ(listen_again(listener), Revival::revived);
    EXPECT_EQ(inspect_queue(listener)->backlog, 77);
}

TEST(RefusedListener, UnlinksAUnixPathAndRestoresItForTheSameSocket) {
    const TemporaryFolder folder;
    const std::string path = folder / "s";
    Listener listener = open_listener("unix:" + path);
    const std::uint64_t inode = inode_of(path);
    const Client queued = connect_to_path(path);
    ASSERT_TRUE(refuse(listener));
    EXPECT_TRUE(was_hung_up_on(queued));
    EXPECT_EQ(connect_to_path(path).error_number, ENOENT);
    EXPECT_EQ(listener.path->restore(), UnixPath::State::present);
    EXPECT_FALSE(exists(path)) << "a withdrawn path must not be restored";
    EXPECT_EQ(listen_again(listener), Revival::revived);
    EXPECT_EQ(inode_of(path), inode);
    EXPECT_TRUE(serves(listener));
}

TEST(RefusedListener, RestoresTheTimeoutOfTheSharedSocket) {
    const TemporaryFolder folder;
    Listener listener = open_listener("unix:" + (folder / "s"));
    const timeval theirs{5, 0};
    ::setsockopt(listener.fd.get(), SOL_SOCKET, SO_RCVTIMEO, &theirs, sizeof theirs);
    refuse(listener);
    timeval after{};
    socklen_t size = sizeof after;
    ::getsockopt(listener.fd.get(), SOL_SOCKET, SO_RCVTIMEO, &after, &size);
    EXPECT_EQ(after.tv_sec, 5);
}

TEST(RefusedListener, WithAnAbstractNameIsReopenedOnceTheOldSocketIsClosed) {
    Listener listener = open_listener("unix:@hf-admission-" + std::to_string(::getpid()));
    UniqueFd workers{::dup(listener.fd.get())};
    refuse(listener);
    EXPECT_EQ(connect_to(listener).error_number, ECONNREFUSED);
    EXPECT_TRUE(is_shut_down(listener));
    EXPECT_EQ(listen_again(listener), Revival::failed);
    EXPECT_EQ(errno, EADDRINUSE);
    EXPECT_TRUE(is_shut_down(listener));
    workers.reset();
    ASSERT_EQ(listen_again(listener), Revival::reopened);
    EXPECT_TRUE(serves(listener));
}

TEST(RefusedListener, CanBeRevivedForWorkersUnlessItMustBeShutDown) {
    const TemporaryFolder folder;
    const std::string spare = folder / (".s.holdfast-" + std::to_string(::getpid()));
    EXPECT_TRUE(can_refuse_temporarily(open_listener("127.0.0.1:0")));
    EXPECT_FALSE(can_refuse_temporarily(open_listener("unix:@hf-while-" + std::to_string(::getpid()))));
    Listener path = open_listener("unix:" + (folder / "s"));
    EXPECT_TRUE(can_refuse_temporarily(path));
    refuse(path);
    EXPECT_TRUE(can_refuse_temporarily(path));
    ::unlink(spare.c_str());
    EXPECT_FALSE(can_refuse_temporarily(path));
    UniqueFd adopted{::socket(AF_INET, SOCK_STREAM, 0)};
    ASSERT_EQ(::listen(adopted.get(), 1), 0);
    EXPECT_FALSE(can_refuse_temporarily(open_listener("fd:" + std::to_string(adopted.release()))));
}

TEST(ShutDownListener, OfTcpIsRevivedForTheWorkersThatHaveItOpen) {
    Listener listener = open_listener("127.0.0.1:0");
    const UniqueFd workers{::dup(listener.fd.get())};
    ::shutdown(workers.get(), SHUT_RDWR);
    ASSERT_TRUE(is_shut_down(listener));
    ASSERT_EQ(listen_again(listener), Revival::revived);
    const Client client = connect_to(listener);
    ASSERT_EQ(client.error_number, 0);
    ASSERT_TRUE(becomes_readable(workers.get()));
    EXPECT_TRUE(UniqueFd(::accept4(workers.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

TEST(ShutDownListener, OfAUnixPathIsReplacedByANewSocket) {
    const TemporaryFolder folder;
    const std::string path = folder / "s";
    Listener listener = open_listener("unix:" + path + "?mode=0606");
    const UniqueFd workers{::dup(listener.fd.get())};
    ::shutdown(workers.get(), SHUT_RDWR);
    ASSERT_TRUE(is_shut_down(listener));
    EXPECT_EQ(connect_to_path(path).error_number, ECONNREFUSED);
    ASSERT_EQ(listen_again(listener), Revival::reopened);
    EXPECT_FALSE(is_shut_down(listener));
    EXPECT_TRUE(serves(listener));
    ::unlink(path.c_str());
    EXPECT_EQ(listener.path->restore(), UnixPath::State::restored) << "the new socket must have a hard link as well";
}

TEST(ShutDownListener, ThatIsAdoptedKeepsAPortThatTheKernelChose) {
    UniqueFd fd{::socket(AF_INET, SOCK_STREAM, 0)};
    const SocketAddress loopback = internet_address("127.0.0.1", 0).value();
    ASSERT_EQ(::bind(fd.get(), loopback.get(), loopback.length), 0);
    ASSERT_EQ(::listen(fd.get(), 10), 0);
    Listener listener = open_listener("fd:" + std::to_string(fd.release()));
    const std::uint16_t port = listener.port;
    ::shutdown(listener.fd.get(), SHUT_RDWR);
    ASSERT_EQ(listen_again(listener), Revival::revived);
    EXPECT_EQ(port_of(bound_address(listener.fd.get()).value()), port);
    EXPECT_TRUE(serves(listener));
}

class WatchedListener : public testing::TestWithParam<const char*> {
  protected:
    TemporaryFolder folder_;
    std::string address() const {
        const std::string text = GetParam();
        return text == "unix" ? "unix:" + (folder_ / "s") : text;
    }
};

TEST_P(WatchedListener, ReportsNothingUntilItIsShutDown) {
    const Listener listener = open_listener(address());
    ListenerWatch watch = ListenerWatch::open().value();
    ASSERT_TRUE(watch.add(listener.fd.get(), 42));
    const Client first = connect_to(listener);
    const Client second = connect_to(listener);
    ASSERT_TRUE(becomes_readable(listener.fd.get()));
    EXPECT_FALSE(is_readable_now(watch.fd())) << "clients must cause no wake-up";
    EXPECT_TRUE(watch.take().empty());
    ::shutdown(listener.fd.get(), SHUT_RDWR);
    ASSERT_TRUE(becomes_readable(watch.fd()));
    EXPECT_EQ(watch.take(), std::vector<std::uint64_t>{42});
    EXPECT_FALSE(is_readable_now(watch.fd())) << "a dead listener must not keep the loop busy";
}

TEST_P(WatchedListener, IsReportedAgainAfterItsRevival) {
    Listener listener = open_listener(address());
    ListenerWatch watch = ListenerWatch::open().value();
    ASSERT_TRUE(watch.add(listener.fd.get(), 1));
    for (int round = 0; round < 3; ++round) {
        ::shutdown(listener.fd.get(), SHUT_RDWR);
        ASSERT_TRUE(becomes_readable(watch.fd()));
        ASSERT_EQ(watch.take().size(), 1U);
        watch.remove(listener.fd.get());
        ASSERT_NE(listen_again(listener), Revival::failed);
        ASSERT_TRUE(watch.add(listener.fd.get(), 1));
        EXPECT_FALSE(is_readable_now(watch.fd()));
    }
    EXPECT_TRUE(serves(listener));
}

INSTANTIATE_TEST_SUITE_P(Each, WatchedListener, testing::Values("127.0.0.1:0", ":0", "unix"));

TEST(WatchedListener, CanBeAddedAgainWithoutRemove) {
    Listener listener = open_listener("127.0.0.1:0");
    ListenerWatch watch = ListenerWatch::open().value();
    ASSERT_TRUE(watch.add(listener.fd.get(), 1));
    ::shutdown(listener.fd.get(), SHUT_RDWR);
    ASSERT_EQ(watch.take().size(), 1U);
    ASSERT_EQ(listen_again(listener), Revival::revived);
    ASSERT_TRUE(watch.add(listener.fd.get(), 1));
    EXPECT_TRUE(watch.take().empty());
    ::shutdown(listener.fd.get(), SHUT_RDWR);
    EXPECT_EQ(watch.take().size(), 1U);
}

}  // namespace
}  // namespace holdfast::os
