#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <deque>

#include "api/probe_server.hpp"
#include "api_fixture.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view get_status = "GET /v1/status HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view post_restart = "POST /v1/restart HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view get_events = "GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(ServerTest, TellsTheEventsAsTheyCome) {
    start();
    RawClient client = connect();
    client.send(get_events);
    run_until([&] { return listeners_.size() == 1; });
    tell(R"({"event":"a"})");
    tell("{\"event\":\"b\"}\n");
    run_until([&] { return client.received().ends_with("\"b\"}\n\n"); });
    EXPECT_THAT(client.received(), HasSubstr("\r\n\r\n: "));
    EXPECT_THAT(client.received(), HasSubstr("\n\ndata: {\"event\":\"a\"}\n\ndata: {\"event\":\"b\"}\n\n"));
    turns_within(10ms);  // what the request left behind: the cancelled timer
    EXPECT_EQ(turns_within(50ms), 0U);
    client.hang_up();
    run_until([&] { return listeners_.empty(); });
}

TEST_F(ServerTest, DropsAndCountsEventsForOneThatDoesNotRead) {
    start({.event_streams = 1, .event_queue_bytes = 4096});
    RawClient client = connect();
    client.send(get_events);
    run_until([&] { return listeners_.size() == 1; });
    const std::string event = "{\"event\":\"" + std::string(1000, 'x') + "\"}";
    for (int number = 0; number < 2000; ++number) {
        tell(event);
        io_.restart();
        io_.poll();
    }
    run_until([&] { return client.received().find("events_dropped") != std::string::npos; });
    std::size_t told = 0;
    for (std::size_t at = 0; (at = client.received().find("xx\"}\n", at)) != std::string::npos; ++at) ++told;
    const std::size_t mark = client.received().find("\"count\":");
    ASSERT_NE(mark, std::string::npos);
    EXPECT_EQ(told + std::stoul(client.received().substr(mark + 8)), 2000U);
}

TEST_F(ServerTest, GivesThePlaceOfAStalledStreamToTheNext) {
    start({.event_streams = 1, .event_queue_bytes = 4096});
    RawClient first = connect();
    first.send(get_events);
    run_until([&] { return listeners_.size() == 1; });
    EXPECT_THAT(answer_to(get_events), StartsWith("HTTP/1.1 503 "));
    for (int number = 0; number < 2000; ++number) {
        tell(std::string(1000, 'x'));
        io_.restart();
        io_.poll();
    }
    RawClient second = connect();
    second.send(get_events);
    run_until([&] { return second.received().starts_with("HTTP/1.1 200 "); });
    EXPECT_EQ(listeners_.size(), 1U);
}

TEST_F(ServerTest, LetsTheIdleGiveWayButNeverOneThatWaitsForItsOutcome) {
    start({.connections = 8, .patience = 1ms});
    RawClient waiting = connect();
    waiting.send(post_restart);
    run_until([&] { return questions_.size() == 1; });
    std::deque<RawClient> idle;
    for (int number = 0; number < 40; ++number) {
        idle.push_back(connect());
        idle.back().send("GET /v1/sta");
    }
    EXPECT_THAT(answer_to(get_status), StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(idle.front().is_ended());
    EXPECT_FALSE(waiting.is_ended());
    questions_[0].answer({});
    run_until([&] { return waiting.is_answered(); });
}

TEST_F(ServerTest, NobodyGivesWayWhereNobodyComes) {
    start({.connections = 2, .patience = 1ms});
    RawClient first = connect(), second = connect();
    turns_within(50ms);
    EXPECT_FALSE(first.is_ended());
    EXPECT_FALSE(second.is_ended());
    EXPECT_EQ(turns_within(50ms), 0U);
}

class ProbeServerTest : public ServerTest {
  protected:
    void start_probes(ProbeLimits limits = {}) {
        probes_ = std::make_unique<ProbeServer>(
            io_.get_executor(), std::vector{directory_.listen(4096)}, [this] { return readiness_; }, limits);
    }
    Readiness readiness_{true, {}};
    std::unique_ptr<ProbeServer> probes_;
};

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n"; }

TEST_F(ProbeServerTest, SaysWhetherItServesAndWhyNot) {
    start_probes();
    EXPECT_THAT(answer_to(get("/readyz")), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer_to(get("/healthz?verbose")), StartsWith("HTTP/1.1 200 "));
    readiness_ = {false, "0 of 2 workers are ready"};
    const std::string answer = answer_to(get("/readyz"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer, HasSubstr("\r\n\r\n0 of 2 workers are ready\n"));
    EXPECT_THAT(answer_to(get("/healthz")), StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer_to(get("/livez")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ProbeServerTest, KnowsNothingElse) {
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

TEST_F(ProbeServerTest, ListensOnTcpAsWell) {
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

// As many descriptors as this process may have at all.
void raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

TEST_F(ProbeServerTest, AnswersAProbeBesideTwoThousandThatSayNothing) {
    raise_descriptor_limit();
    start_probes({.connections = 16, .patience = 1ms});
    const std::size_t before = open_descriptors();
    std::deque<RawClient> crowd;
    for (int number = 0; number < 2000; ++number) {
        crowd.push_back(connect());
        crowd.back().send("GET /re");
    }
    EXPECT_THAT(answer_to(get("/readyz")), StartsWith("HTTP/1.1 200 "));
    EXPECT_LE(open_descriptors(), before + 2000 + 16);
}

TEST_F(ProbeServerTest, LeavesNothingBehindOfManyConnections) {
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

}  // namespace
}  // namespace holdfast::api
