#include "os/packet.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <string>

#include "os/control_pipe.hpp"
#include "socket_support.hpp"

namespace holdfast::os {
namespace {

using namespace std::chrono_literals;

// Sends a packet with descriptors, like a worker can.
bool send_with(int fd, std::string_view bytes, const std::vector<int>& descriptors) {
    std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
    std::string copy(bytes);
    iovec part{copy.data(), copy.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* entry = CMSG_FIRSTHDR(&header);
    entry->cmsg_level = SOL_SOCKET;
    entry->cmsg_type = SCM_RIGHTS;
    entry->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(entry), descriptors.data(), descriptors.size() * sizeof(int));
    return ::sendmsg(fd, &header, MSG_NOSIGNAL) >= 0;
}

class ControlPipeTest : public testing::Test {
  protected:
    ControlPipe pipe_ = open_control_pipe().value();
    std::array<char, 64> buffer_{};

    Packet receive() { return receive_packet(pipe_.ours.get(), buffer_); }
    SendResult say(std::string_view bytes) { return send_packet(pipe_.workers.get(), bytes); }
};

TEST_F(ControlPipeTest, IsASeqpacketPairWithTheInodeOfTheWorkersEnd) {
    int type = 0;
    socklen_t size = sizeof type;
    ASSERT_EQ(::getsockopt(pipe_.workers.get(), SOL_SOCKET, SO_TYPE, &type, &size), 0);
    EXPECT_EQ(type, SOCK_SEQPACKET);
    struct stat status {};
    ASSERT_EQ(::fstat(pipe_.workers.get(), &status), 0);
    EXPECT_EQ(pipe_.workers_inode, status.st_ino);
    EXPECT_EQ(::fcntl(pipe_.ours.get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(::fcntl(pipe_.workers.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(ControlPipeTest, PreservesPacketBoundaries) {
    ASSERT_EQ(say("READY=1"), SendResult::sent);
    ASSERT_EQ(say("STATUS=x"), SendResult::sent);
    EXPECT_EQ(receive().bytes, "READY=1");
    EXPECT_EQ(receive().bytes, "STATUS=x");
    EXPECT_EQ(receive().arrival, Arrival::nothing);
}

TEST_F(ControlPipeTest, DistinguishesAnEmptyPacketFromTheEnd) {
    ASSERT_EQ(say(""), SendResult::sent);
    EXPECT_EQ(receive().arrival, Arrival::empty);
    EXPECT_EQ(receive().arrival, Arrival::nothing);
    pipe_.workers.reset();
    EXPECT_EQ(receive().arrival, Arrival::lost);
}

TEST_F(ControlPipeTest, PacketsAfterAnEmptyOneAreReadBeforeTheEnd) {
    ASSERT_EQ(say(""), SendResult::sent);
    ASSERT_EQ(say("X_HOLDFAST_DRAINED=1"), SendResult::sent);
    pipe_.workers.reset();
    EXPECT_EQ(receive().arrival, Arrival::empty);
    EXPECT_EQ(receive().bytes, "X_HOLDFAST_DRAINED=1");
    EXPECT_EQ(receive().arrival, Arrival::lost);
}

TEST_F(ControlPipeTest, LastPacketsAreReadFromAWorkerThatDidNotReadOurs) {
    // In this case the kernel reports ECONNRESET first.
    ASSERT_EQ(send_packet(pipe_.ours.get(), "STAGE=drain"), SendResult::sent);
    ASSERT_EQ(say("X_HOLDFAST_DRAINED=1"), SendResult::sent);
    pipe_.workers.reset();
    EXPECT_EQ(receive().bytes, "X_HOLDFAST_DRAINED=1");
    EXPECT_EQ(receive().arrival, Arrival::lost);
}

TEST_F(ControlPipeTest, IsLostAfterAShutdownOfOneDirection) {
    ::shutdown(pipe_.workers.get(), SHUT_WR);
    EXPECT_EQ(receive().arrival, Arrival::lost);
}

TEST_F(ControlPipeTest, MarksATruncatedPacket) {
    ASSERT_EQ(say(std::string(65, 'x')), SendResult::sent);
    ASSERT_EQ(say(std::string(64, 'y')), SendResult::sent);
    const Packet longer = receive();
    EXPECT_TRUE(longer.is_truncated);
    EXPECT_EQ(longer.bytes, std::string(64, 'x'));
    EXPECT_FALSE(receive().is_truncated);
}

TEST_F(ControlPipeTest, SendNeverBlocksIfTheWorkerDoesNotRead) {
    const std::string command(1000, 'x');
    SendResult sent = SendResult::sent;
    int count = 0;
    while (sent == SendResult::sent && count < 100'000) {
        sent = send_packet(pipe_.ours.get(), command);
        ++count;
    }
    EXPECT_EQ(sent, SendResult::full);
    EXPECT_GT(count, 1);
}

TEST_F(ControlPipeTest, SendingToAnExitedWorkerIsLostAndRaisesNoSignal) {
    pipe_.workers.reset();
    EXPECT_EQ(send_packet(pipe_.ours.get(), "STAGE=drain"), SendResult::lost);
}

TEST_F(ControlPipeTest, ReceivedDescriptorsAreOwnedAndCloseOnExec) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const UniqueFd reader{ends[0]};
    UniqueFd writer{ends[1]};
    ASSERT_TRUE(send_with(pipe_.workers.get(), "BARRIER=1", {writer.get()}));
    writer.reset();
    {
        const Packet packet = receive();
        EXPECT_EQ(packet.bytes, "BARRIER=1");
        ASSERT_EQ(packet.descriptors.size(), 1U);
        EXPECT_EQ(::fcntl(packet.descriptors[0].get(), F_GETFD), FD_CLOEXEC);
        EXPECT_FALSE(packet.lost_descriptors);
        EXPECT_FALSE(is_readable_now(reader.get())) << "the packet must keep it open";
    }
    EXPECT_TRUE(is_readable_now(reader.get())) << "the packet must close it";
}

TEST_F(ControlPipeTest, ReceivesAsManyDescriptorsAsOnePacketCanCarry) {
    const UniqueFd event{::eventfd(0, EFD_CLOEXEC)};
    ASSERT_TRUE(send_with(pipe_.workers.get(), "X=1", std::vector<int>(253, event.get())));
    const Packet packet = receive();
    EXPECT_EQ(packet.descriptors.size(), 253U);
    EXPECT_FALSE(packet.lost_descriptors);
}

TEST_F(ControlPipeTest, ReportsLostDescriptors) {
    const UniqueFd event{::eventfd(0, EFD_CLOEXEC)};
    ASSERT_TRUE(send_with(pipe_.workers.get(), "X=1", std::vector<int>(5, event.get())));
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{0, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    const Packet packet = receive();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(packet.bytes, "X=1");
    EXPECT_TRUE(packet.lost_descriptors);
    EXPECT_TRUE(packet.descriptors.empty());
}

TEST_F(ControlPipeTest, EmptyPacketMayCarryDescriptors) {
    const UniqueFd event{::eventfd(0, EFD_CLOEXEC)};
    ASSERT_TRUE(send_with(pipe_.workers.get(), "", {event.get()}));
    const Packet packet = receive();
    EXPECT_EQ(packet.arrival, Arrival::empty);
    EXPECT_EQ(packet.descriptors.size(), 1U);
}

// A connection whose last close() takes ten seconds, because of unread bytes and SO_LINGER.
struct LingeringConnection {
    Client client;
    UniqueFd lingering;
};

LingeringConnection make_lingering_connection() {
    const Listener listener = open_listener("127.0.0.1:0");
    LingeringConnection made{connect_to(listener), {}};
    made.lingering.reset(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const std::string bytes(65536, 'x');
    while (::send(made.lingering.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    const linger ten_seconds{1, 10};
    EXPECT_EQ(::setsockopt(made.lingering.get(), SOL_SOCKET, SO_LINGER, &ten_seconds, sizeof ten_seconds), 0);
    return made;
}

class LingeringDescriptor : public ControlPipeTest {
  protected:
    LingeringConnection connection_ = make_lingering_connection();

    void send_it_away() {
        ASSERT_TRUE(send_with(pipe_.workers.get(), "X=1", {connection_.lingering.get()}));
        connection_.lingering.reset();
    }
};

TEST_F(LingeringDescriptor, IsReturnedWithoutItsLinger) {
    send_it_away();
    Packet packet = receive();
    std::vector<UniqueFd> slow = close_received(std::move(packet.descriptors));
    ASSERT_EQ(slow.size(), 1U);
    const auto start = std::chrono::steady_clock::now();
    slow.clear();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST_F(LingeringDescriptor, InAnUnreadPacketIsReturned) {
    send_it_away();
    EXPECT_EQ(close_channel(std::move(pipe_.ours)).size(), 1U);
    EXPECT_EQ(say("x"), SendResult::lost);
}

TEST(ReceivedDescriptors, AreReturnedIfTheyAreNotPipes) {
    const TemporaryFolder folder;
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    std::vector<UniqueFd> received;
    received.emplace_back(ends[0]);
    received.emplace_back(ends[1]);
    received.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    received.emplace_back(::open((folder / "f").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(close_received(std::move(received)).size(), 2U);
    EXPECT_EQ(::fcntl(ends[0], F_GETFD), -1);
}

}  // namespace
}  // namespace holdfast::os
