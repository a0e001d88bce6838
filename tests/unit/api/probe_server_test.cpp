#include "api/server/probe_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <deque>

#include "counted_memory.hpp"
#include "probe_fixture.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ProbeServerTest, ReportsReadinessWithTheReason) {
    start_probes();
    EXPECT_THAT(answer_to(get("/readyz")), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer_to(get("/healthz?verbose")), StartsWith("HTTP/1.1 200 "));
    readiness_ = {true, "slot 1 crashes over and over"};
    EXPECT_THAT(answer_to(get("/readyz")),
                AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("\r\n\r\nready; slot 1 crashes over and over\n")));
    readiness_ = {false, "0 of 2 workers are ready"};
    const std::string answer = answer_to(get("/readyz"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer, HasSubstr("\r\n\r\n0 of 2 workers are ready\n"));
    EXPECT_THAT(answer_to(get("/healthz")), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer_to(get("/livez")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ProbeServerTest, RejectsAllOtherRequests) {
    start_probes();
    EXPECT_THAT(answer_to(get("/v1/status")), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(answer_to("DELETE /readyz HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(answer_to("POST /readyz HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"), StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(answer_to("GET /livez HTTP/1.1\r\nX: " + std::string(5000, 'x') + "\r\n\r\n"),
                StartsWith("HTTP/1.1 431 "));
}

TEST_F(ProbeServerTest, AnswersHeadWithoutABody) {
    start_probes();
    RawClient client = connect();
    client.send("HEAD /readyz HTTP/1.1\r\nHost: h\r\n\r\n" + get("/livez"));
    run_until([&] { return client.received().ends_with("alive\n"); });
    EXPECT_THAT(client.received(), HasSubstr("Content-Length: 6\r\n\r\nHTTP/1.1 200 OK"));
}

TEST_F(ProbeServerTest, AcceptsTcpConnections) {
    const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(::bind(listening, generic, size), 0);
    ASSERT_EQ(::listen(listening, 16), 0);
    ASSERT_EQ(::getsockname(listening, generic, &size), 0);
    probes_ = std::make_unique<ProbeServer>(io_.get_executor(), std::vector{listening}, [this] { return readiness_; });
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::connect(fd, generic, size), 0);
    RawClient client(fd);
    client.send(get("/readyz"));
    run_until([&] { return client.is_answered(); });
    EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 200 "));
}

// Raises the soft limit of file descriptors to the hard limit.
void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_F(ProbeServerTest, AnswersAProbeBesideTwoThousandSilentConnections) {
    raise_descriptor_limit();
    start_probes({.connections = 16, .min_idle = 1ms});
    const std::size_t before = open_descriptors();
    std::deque<RawClient> silent;
    for (int number = 0; number < 2000; ++number) {
        silent.push_back(connect());
        silent.back().send("GET /re");
    }
    EXPECT_THAT(answer_to(get("/readyz")), StartsWith("HTTP/1.1 200 "));
    EXPECT_LE(open_descriptors(), before + 2000 + 16);
}

TEST_F(ProbeServerTest, LeaksNoDescriptorsOverManyConnections) {
    start_probes();
    answer_to(get("/livez"));
    run_until([&] { return io_.poll() == 0; });
    const std::size_t before = open_descriptors();
    for (int number = 0; number < 3000; ++number) {
        RawClient client = connect();
        client.send(number % 3 == 0 ? get("/readyz") : number % 3 == 1 ? "GET /rea" : "\x16\x03\x01\r\n\r\n");
        io_.restart();
        io_.poll();
    }
    run_until([&] { return open_descriptors() == before; });
    EXPECT_THAT(answer_to(get("/readyz")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ProbeServerTest, ClosesAConnectionThatDoesNotSendItsRequest) {
    start_probes({.io_timeout = 50ms});
    RawClient silent = connect(), half = ask("GET /readyz HTTP/1.1\r\nHo");
    run_until([&] { return silent.is_ended() && half.is_ended(); });
    EXPECT_EQ(half.received(), "");
    EXPECT_THAT(answer_to(get("/readyz")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ProbeServerTest, AKeepAliveConnectionUsesLittleMemoryAndNoTimer) {
    start_probes();
    std::deque<RawClient> clients;
    std::size_t before = 0;
    for (int number = 0; number <= 32; ++number) {
        clients.push_back(ask("GET /livez HTTP/1.1\r\nX: " + std::string(3900, 'x') + "\r\n\r\n"));
        run_until([&] { return clients.back().is_answered(); });
        clients.back().forget_received();
        handlers_run_within(1ms);  // the handler of the request's cancelled timer
        if (number == 0) before = counted_memory();
    }
    EXPECT_LT(counted_memory() - before, 32 * 2048U);
    EXPECT_EQ(handlers_run_within(50ms), 0U);
}

}  // namespace
}  // namespace holdfast::api
