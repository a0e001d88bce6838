#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <holdfast/keep_alive.hpp>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

constexpr KeepAlive::Limits limits{.min = 1s, .max = 75s, .linger = 2s};
constexpr KeepAlive::Clock::time_point start{};

TEST(KeepAlive, KeepsAnIdleConnectionForMaxWhileTheWorkerServes) {
    const KeepAlive rule(limits);
    EXPECT_EQ(rule.idle_deadline(start), start + 75s);
    EXPECT_FALSE(rule.says_close());
}

TEST(KeepAlive, KeepsItForMinAfterTheDrainBegan) {
    KeepAlive rule(limits);
    rule.leave(start + 10s);
    EXPECT_EQ(rule.idle_deadline(start), start + 11s);
    EXPECT_TRUE(rule.says_close());
}

TEST(KeepAlive, KeepsItForMinAfterItBecameIdleDuringTheDrain) {
    KeepAlive rule(limits);
    rule.leave(start);
    EXPECT_EQ(rule.idle_deadline(start + 10s), start + 11s);
}

TEST(KeepAlive, ReturnsToMaxWhenTheDrainIsTakenBack) {
    KeepAlive rule(limits);
    rule.leave(start);
    rule.stay();
    EXPECT_FALSE(rule.is_leaving());
    EXPECT_FALSE(rule.says_close());
    EXPECT_EQ(rule.idle_deadline(start), start + 75s);
}

TEST(KeepAlive, ClosesIdleConnectionsImmediatelyIfItIsOff) {
    KeepAlive rule({.min = 0s});
    EXPECT_FALSE(rule.is_on());
    rule.leave(start + 10s);
    EXPECT_EQ(rule.idle_deadline(start + 20s), start + 10s);
    EXPECT_FALSE(rule.says_close());
}

struct Connection : ::testing::Test {
    Connection() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        ours = ends[0];
        client = ends[1];
    }
    ~Connection() override {
        ::close(ours);
        if (client >= 0) ::close(client);
    }

    int ours = -1;
    int client = -1;
};

TEST_F(Connection, HasNoBytesAtFirstAndTheChecksDoNotBlock) {
    EXPECT_FALSE(has_bytes(ours));
    EXPECT_FALSE(has_ended(ours));
}

TEST_F(Connection, KeepsTheBytesThatAreChecked) {
    EXPECT_EQ(::send(client, "ab", 2, 0), 2);
    EXPECT_TRUE(has_bytes(ours));
    EXPECT_FALSE(has_ended(ours));
    std::array<char, 4> bytes;
    EXPECT_EQ(::recv(ours, bytes.data(), bytes.size(), 0), 2);
    EXPECT_FALSE(has_bytes(ours));
}

TEST_F(Connection, HasEndedOnlyAfterItsLastBytesWereRead) {
    EXPECT_EQ(::send(client, "a", 1, 0), 1);
    ::close(std::exchange(client, -1));
    EXPECT_TRUE(has_bytes(ours));
    EXPECT_FALSE(has_ended(ours));
    char byte = 0;
    EXPECT_EQ(::recv(ours, &byte, 1, 0), 1);
    EXPECT_FALSE(has_bytes(ours));
    EXPECT_TRUE(has_ended(ours));
}

TEST_F(Connection, HasEndedWhenTheClientResetsIt) {
    EXPECT_EQ(::send(ours, "a", 1, 0), 1);  // the client closes with unread bytes, which resets the connection
    ::close(std::exchange(client, -1));
    EXPECT_FALSE(has_bytes(ours));
    EXPECT_TRUE(has_ended(ours));
}

TEST_F(Connection, StillReceivesAfterAHalfClose) {
    half_close(ours);
    char byte = 0;
    EXPECT_EQ(::recv(client, &byte, 1, 0), 0);
    EXPECT_EQ(::send(client, "a", 1, MSG_NOSIGNAL), 1);
    EXPECT_TRUE(has_bytes(ours));
    EXPECT_EQ(::send(ours, "a", 1, MSG_NOSIGNAL), -1);
}

}  // namespace
}  // namespace holdfast::testing
