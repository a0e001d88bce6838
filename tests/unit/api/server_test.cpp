#include "api/server/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "api_fixture.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(ServerTest, AnswersWithTheStatus) {
    start();
    status_.name = "web";
    const std::string answer = answer_to(get_status);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
    EXPECT_THAT(answer, HasSubstr("{\"name\":\"web\""));
}

TEST_F(ServerTest, AnswersAChangeWhenItsOutcomeIsKnown) {
    start();
    RawClient client = connect();
    client.send(post_restart);
    run_until([&] { return requests_.size() == 1; });
    EXPECT_TRUE(std::holds_alternative<core::Restart>(requests_[0].request.what));
    EXPECT_EQ(requests_[0].request.asked_by,
              "uid " + std::to_string(::getuid()) + ", pid " + std::to_string(::getpid()) + " over the API");
    EXPECT_EQ(client.received(), "");

    requests_[0].answer({core::Outcome::Result::failed, "it was not ready", {"no configuration"}, 1});
    run_until([&] { return client.is_answered(); });
    EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(client.received(), HasSubstr(R"({"result":"failed","text":"it was not ready",)"
                                             R"("last_words":["no configuration"],"exit_code":1})"));
}

TEST_F(ServerTest, AcceptsAnOutcomeFromWithinTheRequest) {
    Backend supervisor = backend();
    supervisor.ask = [](const core::Request&, const std::function<void(core::Outcome)>& answer) { answer({}); };
    server_ = std::make_unique<Server>(io_.get_executor(), directory_.listen(), ::getuid(), std::move(supervisor));
    EXPECT_THAT(answer_to(post_restart), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AnswersAtOnceWithoutWait) {
    start();
    const std::string answer =
        answer_to("POST /v1/scale?wait=no HTTP/1.1\r\nHost: h\r\nContent-Length: 13\r\n\r\n{\"workers\":3}");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 202 "));
    ASSERT_EQ(requests_.size(), 1U);
    EXPECT_EQ(std::get<core::Scale>(requests_[0].request.what).target, 3);
    requests_[0].answer({});  // no client waits for it
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
    start();
    RawClient client = connect();
    client.send(std::string(post_restart) + std::string(get_status));
    run_until([&] { return requests_.size() == 1; });
    handlers_run_within(20ms);
    EXPECT_EQ(client.received(), "") << "the second request was answered before the first";
    requests_[0].answer({});
    run_until([&] { return client.received().find("\"workers\"") != std::string::npos; });
    EXPECT_LT(client.received().find("\"result\""), client.received().find("\"workers\""));
    EXPECT_FALSE(client.is_ended());
}

struct Malformed {
    std::string name, request, status, reason;
};

class ServerRefuses : public ServerTest, public testing::WithParamInterface<Malformed> {};

TEST_P(ServerRefuses, WithTheReasonAndContinuesToServe) {
    start();
    const std::string answer = answer_to(GetParam().request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + GetParam().status + " "));
    EXPECT_THAT(answer, HasSubstr("{\"error\":\""));
    EXPECT_THAT(answer, HasSubstr(GetParam().reason));
    EXPECT_TRUE(requests_.empty());
    EXPECT_THAT(answer_to(get_status), StartsWith("HTTP/1.1 200 "));
}

std::string post_scale(const std::string& body) {
    return "POST /v1/scale HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

INSTANTIATE_TEST_SUITE_P(
    Requests, ServerRefuses,
    testing::Values(
        Malformed{"Noise", "\x16\x03\x01 hello\r\n\r\n", "400", "cannot parse"},
        Malformed{"NoVersion", "GET /v1/status\r\n\r\n", "400", "cannot parse"},
        Malformed{"BadField", "GET /v1/status HTTP/1.1\r\nHost\r\n\r\n", "400", "cannot parse"},
        Malformed{"BadLength", "POST /v1/stop HTTP/1.1\r\nContent-Length: x\r\n\r\n", "400", "cannot parse"},
        Malformed{"LongHeader", "GET /v1/status HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n", "431",
                  "larger than 8 KiB"},
        Malformed{"LongBody", "POST /v1/scale HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", "413", "larger than 64 KiB"},
        Malformed{"BadJson", post_scale("{workers:3}"), "400", "not valid JSON"},
        Malformed{"WrongMember", post_scale(R"({"wokers":3})"), "400", "wokers"},
        Malformed{"UnknownPath", "GET /status HTTP/1.1\r\nHost: h\r\n\r\n", "404", "GET /v1/status"},
        Malformed{"WrongMethod", "GET /v1/stop HTTP/1.1\r\nHost: h\r\n\r\n", "405", "takes POST"}),
    [](const auto& instance) { return instance.param.name; });

TEST_F(ServerTest, NamesTheAllowedMethodInTheHeader) {
    start();
    EXPECT_THAT(answer_to("GET /v1/stop HTTP/1.1\r\nHost: h\r\n\r\n"), HasSubstr("Allow: POST\r\n"));
}

TEST_F(ServerTest, DropsTheOutcomeForAClientThatHungUp) {
    start();
    run_until([&] { return io_.poll() == 0; });
    const std::size_t before = open_descriptors();
    RawClient client = connect();
    client.send(post_restart);
    run_until([&] { return requests_.size() == 1; });
    client.hang_up();
    run_until([&] { return open_descriptors() == before; });
    requests_[0].answer({});
    EXPECT_THAT(answer_to(get_status), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AnswersAClientThatHasShutDownItsSendingDirection) {
    start();
    RawClient client = connect();
    client.send(post_restart);
    client.finish_sending();
    run_until([&] { return requests_.size() == 1; });
    handlers_run_within(20ms);
    requests_[0].answer({});
    run_until([&] { return client.is_answered(); });
    run_until([&] { return client.is_ended(); });
}

TEST_F(ServerTest, ClosesAConnectionThatDoesNotSendItsRequest) {
    start({.io_timeout = 50ms});
    RawClient silent = connect(), slow = connect();
    slow.send("GET /v1/status HT");
    run_until([&] { return silent.is_ended() && slow.is_ended(); });
}

TEST_F(ServerTest, LetsAClientWaitForItsOutcomeLongerThanTheIoTimeout) {
    start({.io_timeout = 50ms});
    RawClient client = connect();
    client.send(post_restart);
    run_until([&] { return requests_.size() == 1; });
    handlers_run_within(150ms);
    EXPECT_FALSE(client.is_ended());
    requests_[0].answer({});
    run_until([&] { return client.is_answered(); });
}

TEST_F(ServerTest, RunsNoHandlerWhileIdleOrWhileAClientWaits) {
    start({.io_timeout = 20ms});
    EXPECT_EQ(handlers_run_within(100ms), 0U);
    RawClient client = connect();
    client.send(post_restart);
    run_until([&] { return requests_.size() == 1; });
    handlers_run_within(10ms);  // the handler of the request's cancelled timer
    EXPECT_EQ(handlers_run_within(100ms), 0U);
}

TEST_F(ServerTest, AnswersWhileTheLimitOfWaitingClientsIsReached) {
    start({.connections = 4, .waiting = 8});
    std::vector<RawClient> clients;
    for (int number = 0; number < 8; ++number) {
        clients.push_back(connect());
        clients.back().send(post_restart);
    }
    run_until([&] { return requests_.size() == 8; });
    EXPECT_THAT(answer_to(get_status), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer_to(post_restart), StartsWith("HTTP/1.1 503 "));
    EXPECT_EQ(requests_.size(), 8U);
    for (RawClient& client : clients) EXPECT_FALSE(client.is_ended());
}

TEST_F(ServerTest, ClosesAfterTheResponseToAStopHasBeenWritten) {
    start();
    RawClient client = connect(), idle = connect();
    client.send("POST /v1/stop HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    run_until([&] { return requests_.size() == 1; });
    const std::string more_than_a_socket_takes(1 << 20, 'x');
    requests_[0].answer({core::Outcome::Result::done, "stopped", {more_than_a_socket_takes}, 3});
    bool done = false;
    server_->close_when_answered([&] { done = true; });
    EXPECT_FALSE(done) << "`done` was called from within the call";
    run_until([&] { return client.is_ended() && done; });
    EXPECT_TRUE(client.is_answered());
    EXPECT_THAT(client.received(), HasSubstr("\"exit_code\":3"));
    EXPECT_TRUE(client.is_ended());
    EXPECT_TRUE(idle.is_ended());
}

TEST_F(ServerTest, ClosesAtTheTimeoutIfAnOutcomeNeverArrives) {
    start({.close_timeout = 50ms});
    RawClient client = connect();
    client.send(post_restart);
    run_until([&] { return requests_.size() == 1; });
    bool done = false;
    server_->close_when_answered([&] { done = true; });
    handlers_run_within(10ms);
    EXPECT_FALSE(done);
    run_until([&] { return done; });
    EXPECT_TRUE(client.is_ended());
    requests_[0].answer({});  // too late: ignored
}

TEST_F(ServerTest, ClosesAtOnceIfNoClientWaits) {
    start();
    bool done = false;
    server_->close_when_answered([&] { done = true; });
    run_until([&] { return done; });
}

TEST_F(ServerTest, LeavesNothingOpenWhenItIsDestroyed) {
    start();
    const std::size_t before = open_descriptors() - 1;  // without the listening socket
    RawClient client = connect();
    client.send(post_restart);
    run_until([&] { return requests_.size() == 1; });
    server_.reset();
    run_until([&] { return client.is_ended(); });
    client.hang_up();
    EXPECT_EQ(open_descriptors(), before);
    requests_[0].answer({});  // after the end of the server: ignored
}

// Connects as another user, from a thread that changes its uid: Linux keeps credentials per thread, and glibc's
// setuid() would change all threads.
int connect_as(uid_t uid, const std::string& path) {
    int fd = -1;
    std::thread([&] {
        if (::syscall(SYS_setresuid, uid, uid, uid) != 0) return;
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
        ::close(std::exchange(fd, -1));
    }).join();
    return fd;
}

TEST_F(ServerTest, RefusesAnotherUser) {
    if (::getuid() != 0) GTEST_SKIP() << "only root can change its uid; Peer.IsAuthorized... covers the decision";
    start();
    ::chmod(directory_.path().c_str(), 0755);
    ::chmod(directory_.socket_path().c_str(), 0666);
    const int fd = connect_as(65534, directory_.socket_path());
    ASSERT_GE(fd, 0);
    RawClient client(fd);
    client.send(post_restart);
    run_until([&] { return client.is_answered(); });
    EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 403 "));
    EXPECT_THAT(client.received(), HasSubstr("permission denied for uid 65534"));
    EXPECT_TRUE(requests_.empty());
}

}  // namespace
}  // namespace holdfast::api
