#include "os/listener.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "os/socket_holder.hpp"
#include "socket_support.hpp"

namespace holdfast::os {
namespace {

using testing::HasSubstr;

int somaxconn() {
    int number = 0;
    std::ifstream("/proc/sys/net/core/somaxconn") >> number;
    return number;
}

TEST(Listener, WithoutHostServesBothInternetProtocols) {
    const Listener listener = open_listener(":0");
    EXPECT_EQ(connect_to_port(listener.port, "127.0.0.1").error_number, 0);
    EXPECT_EQ(connect_to_port(listener.port, "::1").error_number, 0);
    EXPECT_EQ(listener.bound, "[::]:" + std::to_string(listener.port));
}

TEST(Listener, V6OnlyDoesNotServeIpv4) {
    const Listener listener = open_listener(":0?v6only");
    EXPECT_EQ(connect_to_port(listener.port, "127.0.0.1").error_number, ECONNREFUSED);
    EXPECT_EQ(connect_to_port(listener.port, "::1").error_number, 0);
}

TEST(Listener, ReportsThePortThatTheKernelChose) {
    const Listener listener = open_listener("web=127.0.0.1:0");
    EXPECT_GT(listener.port, 0);
    EXPECT_EQ(listener.bound, "127.0.0.1:" + std::to_string(listener.port));
    EXPECT_EQ(listener.name, "web");
    EXPECT_TRUE(serves(listener));
}

TEST(Listener, IsCreatedBlockingAndCloseOnExec) {
    const Listener blocking = open_listener("127.0.0.1:0");
    EXPECT_EQ(::fcntl(blocking.fd.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(::fcntl(blocking.fd.get(), F_GETFD), FD_CLOEXEC);
    const Listener other = open_listener("127.0.0.1:0?nonblock");
    EXPECT_NE(::fcntl(other.fd.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(Listener, PortCanBeBoundAgainAtOnce) {
    std::uint16_t port = 0;
    {
        const Listener first = open_listener("127.0.0.1:0");
        port = first.port;
        const Client client = connect_to(first);
        // closed by the server first, so the connection stays in TIME_WAIT
        const UniqueFd accepted{::accept4(first.fd.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        ::shutdown(accepted.get(), SHUT_RDWR);
        ASSERT_TRUE(becomes_readable(client.fd.get()));
    }
    EXPECT_TRUE(serves(open_listener("127.0.0.1:" + std::to_string(port))));
}

TEST(Listener, BacklogIsTheKernelsMaximumByDefault) {
    const Listener listener = open_listener("127.0.0.1:0");
    EXPECT_EQ(listener.backlog, somaxconn());
    EXPECT_EQ(listener.backlog_cut, std::nullopt);
    EXPECT_EQ(inspect_queue(listener)->backlog, somaxconn());
}

TEST(Listener, BacklogThatTheKernelLimitsIsReported) {
    const int wanted = somaxconn() + 1;
    const Listener listener = open_listener("127.0.0.1:0?backlog=" + std::to_string(wanted));
    EXPECT_EQ(listener.backlog, somaxconn());
    EXPECT_EQ(listener.backlog_cut, wanted);
    EXPECT_EQ(open_listener("127.0.0.1:0?backlog=7").backlog_cut, std::nullopt);
}

TEST(Listener, QueueReportsBacklogAndWaitingConnections) {
    const TemporaryFolder folder;
    for (const std::string& text : {std::string("127.0.0.1:0?backlog=7"), "unix:" + (folder / "s") + "?backlog=7",
                                    "unix:@hf-queue-" + std::to_string(::getpid()) + "?backlog=7"}) {
        const Listener listener = open_listener(text);
        ASSERT_TRUE(inspect_queue(listener)) << text;
        EXPECT_EQ(inspect_queue(listener)->backlog, 7) << text;
        const Client first = connect_to(listener);
        const Client second = connect_to(listener);
        EXPECT_EQ(inspect_queue(listener)->waiting, 2) << text;
    }
}

TEST(Listener, BacklogThatAWorkerLoweredIsRestored) {
    const Listener listener = open_listener("127.0.0.1:0?backlog=300");
    ASSERT_EQ(::listen(listener.fd.get(), 100), 0);  // like asyncio
    EXPECT_EQ(inspect_queue(listener)->backlog, 100);
    EXPECT_TRUE(restore_backlog(listener));
    EXPECT_EQ(inspect_queue(listener)->backlog, 300);
}

TEST(Listener, AddressInUseNamesTheProcess) {
    const Listener first = open_listener("127.0.0.1:0");
    const std::string text = "127.0.0.1:" + std::to_string(first.port);
    EXPECT_EQ(refusal_of(text), "cannot listen on " + text + ": Address already in use, held by os_test (pid " +
                                    std::to_string(::getpid()) + ")");
    EXPECT_THAT(refusal_of(std::to_string(first.port)), HasSubstr("held by os_test"));
    EXPECT_EQ(open_listeners(parse_listen_address(text).value()).error().code, EADDRINUSE);
}

TEST(Listener, AbstractNameInUseNamesTheProcess) {
    const std::string text = "unix:@hf-use-" + std::to_string(::getpid());
    const Listener first = open_listener(text);
    EXPECT_EQ(first.bound, text);
    EXPECT_TRUE(serves(first));
    EXPECT_THAT(refusal_of(text), HasSubstr("held by os_test (pid " + std::to_string(::getpid()) + ")"));
}

TEST(Listener, ReportsAnAddressOfNoLocalInterface) {
    EXPECT_THAT(refusal_of("192.0.2.1:8080"), HasSubstr("no interface of this machine has this address"));
}

TEST(SocketHolders, AreFoundOnlyForTheAddress) {
    const Listener v4 = open_listener("127.0.0.1:0");
    const auto holders_at = [&](const std::string& host) {
        return find_holders(parse_listen_address(host + ":" + std::to_string(v4.port)).value()).size();
    };
    EXPECT_EQ(holders_at("127.0.0.1"), 1U);
    EXPECT_EQ(holders_at(""), 1U);
    EXPECT_EQ(holders_at("127.0.0.2"), 0U);
    EXPECT_EQ(holders_at("[::1]"), 0U);
}

TEST(SocketHolders, AreListedUpToFour) {
    EXPECT_EQ(describe(std::vector<SocketHolder>{}), "");
    EXPECT_EQ(describe({{1, "a"}, {2, "b"}}), "a (pid 1), b (pid 2)");
    EXPECT_EQ(describe({{1, "a"}, {2, "b"}, {3, "c"}, {4, "d"}, {5, "e"}, {6, "f"}}),
              "a (pid 1), b (pid 2), c (pid 3), d (pid 4) and 2 more");
}

// A descriptor like one that was passed to us: a high number, not close-on-exec.
UniqueFd passed_copy(const UniqueFd& fd) { return UniqueFd(::fcntl(fd.get(), F_DUPFD, 40)); }

TEST(AdoptedListener, ServesUnderItsOwnAddress) {
    const Listener original = open_listener("127.0.0.1:0?backlog=9");
    UniqueFd passed = passed_copy(original.fd);
    Listener adopted = open_listener("web=fd:" + std::to_string(passed.release()) + "?nonblock");
    EXPECT_EQ(adopted.ownership, Ownership::adopted);
    EXPECT_EQ(adopted.bound, original.bound);
    EXPECT_EQ(adopted.port, original.port);
    EXPECT_EQ(adopted.backlog, 9);
    EXPECT_EQ(adopted.name, "web");
    EXPECT_EQ(::fcntl(adopted.fd.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_NE(::fcntl(adopted.fd.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_TRUE(serves(adopted));
}

TEST(AdoptedListener, IsNotRefusedBecauseItsOwnerMayWantTheQueue) {
    const Listener original = open_listener("127.0.0.1:0");
    UniqueFd passed = passed_copy(original.fd);
    Listener adopted = open_listener("fd:" + std::to_string(passed.release()));
    EXPECT_FALSE(refuse(adopted));
    EXPECT_TRUE(serves(original));
}

TEST(AdoptedListener, MustBeAPassedListeningStreamSocket) {
    const Listener listener = open_listener("127.0.0.1:0");
    EXPECT_THAT(refusal_of("fd:" + std::to_string(listener.fd.get())), HasSubstr("no such descriptor was passed"));
    EXPECT_THAT(refusal_of("fd:987"), HasSubstr("no such descriptor was passed to holdfast"));
    const auto refusal_of_kind = [](UniqueFd fd) {
        UniqueFd copy = passed_copy(fd);
        return refusal_of("fd:" + std::to_string(copy.release()));
    };
    EXPECT_THAT(refusal_of_kind(UniqueFd(::open("/dev/null", O_RDONLY))), HasSubstr("it is not a socket"));
    EXPECT_THAT(refusal_of_kind(UniqueFd(::socket(AF_INET, SOCK_DGRAM, 0))), HasSubstr("it is not a stream socket"));
    EXPECT_THAT(refusal_of_kind(UniqueFd(::socket(AF_INET, SOCK_STREAM, 0))), HasSubstr("the socket is not listening"));
    ListenAddress standard_input;
    standard_input.family = Family::descriptor;
    standard_input.descriptor = 0;
    EXPECT_THAT(open_listeners(standard_input).error().text, HasSubstr("standard streams"));
}

void pass_at_three(const UniqueFd& first, const UniqueFd& second) {
    // First duplicates both to high numbers, because each may have the target number of the other.
    const UniqueFd one{::fcntl(first.get(), F_DUPFD, 50)};
    const UniqueFd two{::fcntl(second.get(), F_DUPFD, 50)};
    ASSERT_EQ(::dup2(one.get(), 3), 3);
    ASSERT_EQ(::dup2(two.get(), 4), 4);
}

TEST(SocketActivation, TakesTheSocketsOfSystemdAndUnsetsTheVariables) {
    const Listener first = open_listener("127.0.0.1:0");
    const Listener second = open_listener("unix:@hf-activation-" + std::to_string(::getpid()));
    expect_in_child([&] {
        pass_at_three(first.fd, second.fd);
        ::setenv("LISTEN_FDS", "2", 1);
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        ::setenv("LISTEN_FDNAMES", "web:unknown", 1);
        const auto listeners = open_listeners(parse_listen_address("systemd").value());
        ASSERT_TRUE(listeners) << listeners.error().text;
        ASSERT_EQ(listeners->size(), 2U);
        EXPECT_EQ(listeners->at(0).name, "web");
        EXPECT_EQ(listeners->at(0).bound, first.bound);
        EXPECT_EQ(listeners->at(0).ownership, Ownership::adopted);
        EXPECT_EQ(listeners->at(0).address.transport, Transport::tcp);
        EXPECT_EQ(listeners->at(1).name, "unix_@hf-activation-" + std::to_string(::getppid()));
        EXPECT_EQ(listeners->at(1).address.transport, Transport::local);
        EXPECT_EQ(::fcntl(4, F_GETFD), FD_CLOEXEC);
        for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) EXPECT_EQ(std::getenv(name), nullptr);
    });
}

TEST(SocketActivation, IsIgnoredIfItIsAddressedToAnotherProcess) {
    expect_in_child([] {
        ::setenv("LISTEN_FDS", "1", 1);
        ::setenv("LISTEN_PID", std::to_string(::getppid()).c_str(), 1);
        EXPECT_THAT(refusal_of("systemd"), HasSubstr("no socket was passed"));
        EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);
    });
}

TEST(SocketActivation, ReportsMalformedVariables) {
    const auto refusal_with = [](const char* count, const std::string& pid, std::string_view expected) {
        ::setenv("LISTEN_FDS", count, 1);
        ::setenv("LISTEN_PID", pid.c_str(), 1);
        EXPECT_THAT(refusal_of("systemd"), HasSubstr(expected));
    };
    expect_in_child([&] {
        const std::string own = std::to_string(::getpid());
        refusal_with("two", own, "LISTEN_FDS \"two\" is not a whole number");
        refusal_with("1", "me", "LISTEN_PID \"me\" is not a whole number");
        refusal_with("0", own, "no socket was passed");
        ::close(3);
        refusal_with("1", own, "cannot use descriptor 3 of LISTEN_FDS");
    });
}

}  // namespace
}  // namespace holdfast::os
