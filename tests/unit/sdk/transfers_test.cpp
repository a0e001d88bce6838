// Large bodies in both directions, slow clients, and requests that are too long, in the adapters that transfer the
// bytes themselves. (libevent and libmicrohttpd have timeouts of their own.)

#include <poll.h>

#include <string>

#include "shop_kinds.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds period{500};
constexpr std::size_t piece_bytes = 64 * 1024;

// What makes a client slow.
void slow_down() { ::poll(nullptr, 0, 20); }

std::string post(std::size_t body_bytes) {
    return "POST /count HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: " + std::to_string(body_bytes) +
           "\r\n\r\n";
}

template <class Where>
class Transfers : public ShopTest<Where> {};

TYPED_TEST_SUITE(Transfers, EachTransfer, );

// Takes several times longer than the period, with less than a piece in it.
TYPED_TEST(Transfers, DeliverALargeAnswerToASlowReader) {
    constexpr std::size_t bytes = 8'000'000;
    this->begin({.period = period});
    const Client client(*this->endpoint, piece_bytes);
    client.send("GET /bytes?n=" + std::to_string(bytes) + " HTTP/1.1\r\nHost: test\r\n\r\n");
    const auto began = std::chrono::steady_clock::now();
    std::string response;
    while (response.size() < bytes) {
        const std::string part = client.read_some(piece_bytes);
        if (part.empty()) break;
        response += part;
        slow_down();
    }
    EXPECT_EQ(this->body_of(response).size(), bytes);
    EXPECT_GT(std::chrono::steady_clock::now() - began, 3 * period);
}

TYPED_TEST(Transfers, ReceiveALargeBodyFromASlowSender) {
    constexpr std::size_t bytes = 100 * piece_bytes;
    this->begin({.period = period});
    const Client client(*this->endpoint);
    client.send(post(bytes));
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t sent = 0; sent < bytes; sent += piece_bytes) {
        ASSERT_TRUE(client.try_send(std::string(piece_bytes, 'x')));
        slow_down();
    }
    EXPECT_EQ(this->body_of(client.read_to_end()), std::to_string(bytes));
    EXPECT_GT(std::chrono::steady_clock::now() - began, 2 * period);
}

TYPED_TEST(Transfers, EndWhenTheReaderStops) {
    this->begin({.period = period});
    const Client client(*this->endpoint, piece_bytes);
    client.send("GET /bytes?n=50000000 HTTP/1.1\r\nHost: test\r\n\r\n");
    EXPECT_FALSE(client.read_some(piece_bytes).empty());
    EXPECT_TRUE(eventually([&] { return this->has_no_connections(); }));
    EXPECT_TRUE(
        eventually([&] { return this->worker->report().requests == 0; }));  // the handler lets go a little later
}

TYPED_TEST(Transfers, EndWhenTheSenderStops) {
    this->begin({.period = period});
    const Client client(*this->endpoint);
    client.send(post(100'000) + "half");
    ASSERT_TRUE(eventually([&] { return this->worker->report().requests == 1; }));
    EXPECT_TRUE(eventually([&] { return this->has_no_connections(); }));
    EXPECT_TRUE(
        eventually([&] { return this->worker->report().requests == 0; }));  // the handler lets go a little later
}

// It sends a byte now and then, and would never stop.
TYPED_TEST(Transfers, EndWhenTheSenderIsSlowerThanTheMinimumRate) {
    this->begin({.period = period, .min_rate = 1'000'000'000});
    const Client client(*this->endpoint);
    client.send(post(1'000'000));
    for (int i = 0; i < 1000 && client.try_send("x"); ++i) slow_down();
    EXPECT_TRUE(eventually([&] { return this->has_no_connections(); }));
}

template <class Where>
class Pauses : public ShopTest<Where> {};

TYPED_TEST_SUITE(Pauses, EachEventLoop, );

// A handler that takes a body more slowly than it comes does not fill the memory with it.
TYPED_TEST(Pauses, HoldTheSenderBack) {
    constexpr std::size_t bytes = 2'000'000;
    this->begin();
    const Client client(*this->endpoint);
    client.send("POST /pauses HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n");
    EXPECT_TRUE(client.try_send(std::string(bytes, 'x')));
    const std::string response = client.read_to_end();
    const std::size_t space = response.find(' ');
    ASSERT_NE(space, std::string::npos) << response;
    EXPECT_EQ(response.substr(0, space), std::to_string(bytes));
    EXPECT_LE(std::stoul(response.substr(space)), piece_bytes);
}

// A part that waits for a client that goes away is destroyed, and with it the last pointer to the connection.
TYPED_TEST(Pauses, DoNotHoldConnectionsWhoseClientHasGone) {
    this->begin();
    for (int i = 0; i < 3; ++i) {
        Client sender(*this->endpoint), reader(*this->endpoint);
        sender.send("POST /pauses HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n");
        EXPECT_TRUE(sender.try_send(std::string(50'000, 'x')));
        reader.send("GET /bytes?n=50000000 HTTP/1.1\r\nHost: test\r\n\r\n");
        EXPECT_FALSE(reader.read_some(1000).empty());
        sender.reset();
        reader.reset();
    }
    EXPECT_TRUE(eventually([&] {
        const DrainReport report = this->worker->report();
        return report.requests == 0 && report.sessions == 0;
    }));
}

template <class Where>
class TooLong : public ShopTest<Where> {};

TYPED_TEST_SUITE(TooLong, EachAdapter, );

// The client reads only when it has sent everything: the response must survive that.
TYPED_TEST(TooLong, AHeadIsAnsweredWith431) {
    this->begin();
    const Client client(*this->endpoint);
    std::string head = "GET / HTTP/1.1\r\nHost: test\r\n";
    for (int i = 0; i < 1500; ++i) head += "X-Header-" + std::to_string(i) + ": of which there are too many\r\n";
    EXPECT_TRUE(client.try_send(head + "\r\n"));
    const std::string status = this->status_of(client.read_some(100));
    const bool is_libevent = std::is_same_v<typename TypeParam::Kind, LibeventShop>;
    EXPECT_EQ(status.substr(0, 12), is_libevent ? "HTTP/1.1 400" : "HTTP/1.1 431") << status;
}

TYPED_TEST(TooLong, ABodyIsAnsweredWith413) {
    this->begin();
    const Client client(*this->endpoint);
    std::size_t left = http_text::max_body_bytes + 1;
    EXPECT_TRUE(client.try_send(post(left)));
    const std::string piece(std::size_t{1} << 20, 'x');
    while (left > 0 && client.try_send(std::string_view(piece).substr(0, left))) left -= std::min(left, piece.size());
    const std::string status = this->status_of(client.read_some(100));
    EXPECT_EQ(status.substr(0, 12), "HTTP/1.1 413") << status;
}

}  // namespace
}  // namespace holdfast::testing
