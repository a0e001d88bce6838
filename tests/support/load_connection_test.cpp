#include "load_connection.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using Network = LoadConnection::Network;
using Phase = LoadConnection::Phase;

constexpr std::string_view one_request = "GET / HTTP/1.1\r\n\r\n";

// Both ends of a connection in one thread, so that the test controls the order of events.
class LoadConnectionTest : public testing::Test {
  protected:
    LoadConnectionTest()
        : listener_fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), epoll_fd_(::epoll_create1(EPOLL_CLOEXEC)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        socklen_t length = sizeof address;
        EXPECT_EQ(::bind(listener_fd_, any, length), 0);
        EXPECT_EQ(::listen(listener_fd_, 8), 0);
        EXPECT_EQ(::getsockname(listener_fd_, any, &length), 0);
        address_ = parse_server_address("127.0.0.1:" + std::to_string(ntohs(address.sin_port))).value();
    }
    ~LoadConnectionTest() override {
        hang_up();
        client_.close();
        ::close(epoll_fd_);
        ::close(listener_fd_);
    }

    void begin(Network network = Network::immediate) {
        client_.begin(address_, epoll_fd_, 0, std::string(one_request), network);
    }
    // Receives the request at the server's end.
    void take_request() {
        if (server_fd_ < 0) {
            step();  // connects and sends
            server_fd_ = ::accept4(listener_fd_, nullptr, nullptr, SOCK_CLOEXEC);
        }
        std::array<char, 64> bytes{};
        EXPECT_EQ(::recv(server_fd_, bytes.data(), one_request.size(), MSG_WAITALL),
                  static_cast<ssize_t>(one_request.size()));
    }
    void answer() const {
        static constexpr std::string_view text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        EXPECT_EQ(::send(server_fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    }
    void hang_up() {
        if (server_fd_ >= 0) ::close(server_fd_);
        server_fd_ = -1;
    }
    void step() {
        epoll_event event{};
        ASSERT_EQ(::epoll_wait(epoll_fd_, &event, 1, 10'000), 1);
        client_.on_event();
    }
    void step_until_over() {
        while (!client_.is_over()) ASSERT_NO_FATAL_FAILURE(step());
    }
    void exchange() {
        begin();
        take_request();
        answer();
        step_until_over();
        client_.finish();
    }

    int listener_fd_;
    int epoll_fd_;
    int server_fd_ = -1;
    ServerAddress address_;
    LoadConnection client_;
};

TEST_F(LoadConnectionTest, FailsIfTheServerClosesWhileTheRequestIsInTransit) {
    exchange();
    begin(Network::delayed);
    EXPECT_EQ(client_.phase(), Phase::in_transit);
    hang_up();
    client_.deliver();
    step_until_over();
    EXPECT_EQ(client_.phase(), Phase::failed);
    EXPECT_FALSE(client_.found_closed());
    EXPECT_TRUE(client_.failure() == Failure::closed_on_reused || client_.failure() == Failure::reset_on_reused);
}

TEST_F(LoadConnectionTest, SendsNothingBeforeTheNetworkDeliversTheRequest) {
    exchange();
    begin(Network::delayed);
    char byte = 0;
    EXPECT_EQ(::recv(server_fd_, &byte, 1, MSG_DONTWAIT), -1);
    client_.deliver();
    take_request();
    answer();
    step_until_over();
    EXPECT_EQ(client_.phase(), Phase::succeeded);
}

TEST_F(LoadConnectionTest, OpensAFreshConnectionWithoutDelay) {
    begin(Network::delayed);
    EXPECT_EQ(client_.phase(), Phase::connecting);
    EXPECT_FALSE(client_.pause());
}

TEST_F(LoadConnectionTest, MeasuresThePauseFromTheArrivalOfTheResponse) {
    begin();
    take_request();
    answer();
    const auto written = std::chrono::steady_clock::now();
    // Like a client that gets no CPU time: the response has arrived and is not read.
    while (std::chrono::steady_clock::now() < written + 100ms) ::poll(nullptr, 0, 100);
    step_until_over();
    client_.finish();
    begin();
    ASSERT_TRUE(client_.pause());
    EXPECT_GE(*client_.pause(), 80ms);  // the kernel measures it in ticks
}

}  // namespace
}  // namespace holdfast::test
