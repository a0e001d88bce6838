// Each route over HTTP: its response, and its error for a wrong method, query or body.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api_fixture.hpp"

namespace holdfast::api {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string request(const std::string& method, const std::string& target, const std::string& body = {}) {
    return method + " " + target + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
           // The response to HEAD has no body, so the test waits for the end of the connection.
           (method == "HEAD" ? "\r\nConnection: close" : "") + "\r\n\r\n" + body;
}

class RoutesTest : public ServerTest {
  protected:
    RoutesTest() {
        status_.name = "web";
        status_.generation = Generation{2};
        core::WorkerStatus worker;
        worker.generation = Generation{2};
        worker.pid = 71;
        worker.state = core::WorkerState::ready;
        status_.workers = {worker};
        reload_preview_ = {core::Outcome::Result::done, "adds the listener admin", {}, 0};
        history_ = {R"({"event":"started"})", R"({"event":"ready"})", R"({"event":"done"})"};
        last_output_ = {{"1.0", 70, core::LastOutput::Of::ended, {"bye"}},
                        {"2.0", 71, core::LastOutput::Of::living, {"hello", "again"}}};
    }
    // The body of the response to `sent`; expects this status.
    std::string body_of(const std::string& sent, int http_status) {
        const std::string answer = answer_to(sent);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(http_status) + " ")) << sent;
        EXPECT_THAT(answer, HasSubstr("Content-Type: application/json\r\n"));
        const std::size_t body = answer.find("\r\n\r\n");
        return body == answer.npos ? answer : answer.substr(body + 4);
    }
};

TEST_F(RoutesTest, AnswerEachGetRequest) {
    start();
    EXPECT_THAT(body_of(request("GET", "/v1/status"), 200), StartsWith(R"({"name":"web",)"));
    EXPECT_EQ(body_of(request("GET", "/v1/reload"), 200),
              R"({"result":"done","text":"adds the listener admin","last_words":[],"exit_code":0})"
              "\n");
    EXPECT_EQ(body_of(request("GET", "/v1/history"), 200), R"([{"event":"started"},{"event":"ready"},{"event":"done"}])"
                                                           "\n");
    EXPECT_EQ(body_of(request("GET", "/v1/history?limit=1"), 200), "[{\"event\":\"done\"}]\n");
    EXPECT_EQ(body_of(request("GET", "/v1/history?limit=0"), 200), "[]\n");
    EXPECT_THAT(body_of(request("GET", "/v1/history?limit=99999999"), 200), StartsWith(R"([{"event":"started"})"));
    EXPECT_EQ(body_of(request("GET", "/v1/logs"), 200),
              R"([{"worker":"1.0","pid":70,"of":"ended","lines":["bye"]},)"
              R"({"worker":"2.0","pid":71,"of":"living","lines":["hello","again"]}])"
              "\n");
    EXPECT_EQ(body_of(request("GET", "/v1/logs?worker=1.0"), 200),
              R"([{"worker":"1.0","pid":70,"of":"ended","lines":["bye"]}])"
              "\n");
    EXPECT_THAT(body_of(request("GET", "/v1/why?worker=2.0"), 200),
                StartsWith(R"({"text":"worker 2.0 (pid 71) serves)"));
    EXPECT_TRUE(requests_.empty());
    EXPECT_TRUE(reloads_.empty());
}

TEST_F(RoutesTest, SayWhatIsKnownAboutAnUnknownWorker) {
    start();
    EXPECT_THAT(body_of(request("GET", "/v1/why?worker=7.7"), 404),
                HasSubstr(R"({"error":"there is no worker 7.7: 2.0 exists"})"));
    status_.slots.emplace_back().last_failure = "worker 1.0 exited with status 3";
    EXPECT_THAT(body_of(request("GET", "/v1/why?worker=1.0"), 404), HasSubstr("worker 1.0 exited with status 3"));
    EXPECT_THAT(body_of(request("GET", "/v1/logs?worker=7.7"), 404),
                HasSubstr(R"({"error":"there is no output of a worker 7.7"})"));
}

TEST_F(RoutesTest, SayWhyAReloadIsRefused) {
    start();
    reload_preview_ = {core::Outcome::Result::refused, "cannot read web.conf: no such file", {}, 1};
    EXPECT_THAT(body_of(request("GET", "/v1/reload"), 409), HasSubstr("cannot read web.conf"));
}

struct Change {
    std::string path, body;
    std::size_t kind;  // of core::Request::what
};

template <class What>
std::size_t kind_of() {
    return core::Request{What{}, {}}.what.index();
}

TEST_F(RoutesTest, SubmitEachChangeOnceAndAnswerWithItsOutcome) {
    start();
    const std::vector<Change> changes = {{"/v1/restart", "", kind_of<core::Restart>()},
                                         {"/v1/stop", "{}", kind_of<core::Stop>()},
                                         {"/v1/scale", R"({"workers": 3})", kind_of<core::Scale>()},
                                         {"/v1/rollback", "", kind_of<core::Rollback>()},
                                         {"/v1/undo", "", kind_of<core::Undo>()},
                                         {"/v1/pause", " {} ", kind_of<core::Pause>()},
                                         {"/v1/resume", "", kind_of<core::Resume>()}};
    for (const Change& change : changes) {
        requests_.clear();
        RawClient client = ask(request("POST", change.path, change.body));
        run_until([&] { return requests_.size() == 1; });
        EXPECT_EQ(requests_[0].request.what.index(), change.kind) << change.path;
        EXPECT_THAT(requests_[0].request.asked_by, EndsWith(" over the API"));
        EXPECT_EQ(client.received(), "");
        requests_[0].answer({core::Outcome::Result::undone, "undone by somebody", {}, 1});
        run_until([&] { return client.is_answered(); });
        EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 409 ")) << change.path;
        EXPECT_THAT(client.received(), EndsWith(R"("text":"undone by somebody","last_words":[],"exit_code":1})"
                                                "\n"));
    }
}

TEST_F(RoutesTest, LetTheSupervisorReadTheConfigurationOfAReload) {
    start();
    RawClient client = ask(request("POST", "/v1/reload"));
    run_until([&] { return reloads_.size() == 1; });
    EXPECT_THAT(reloads_[0].asked_by, EndsWith(" over the API"));
    reloads_[0].answer({core::Outcome::Result::done, "nothing has changed", {}, 0});
    run_until([&] { return client.is_answered(); });
    EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(answer_to(request("POST", "/v1/reload?wait=no")), StartsWith("HTTP/1.1 202 "));
    EXPECT_EQ(reloads_.size(), 2U);
    EXPECT_TRUE(requests_.empty());
}

TEST_F(RoutesTest, ShortenWhatTheyQuoteFromARequest) {
    start();
    EXPECT_LT(answer_to(request("GET", "/" + std::string(7000, 'x'))).size(), 1024U);
    EXPECT_LT(answer_to(request("GET", "/v1/status?" + std::string(7000, 'x'))).size(), 1024U);
    EXPECT_LT(answer_to(request("POST", "/v1/stop", "{\"" + std::string(7000, 'x') + "\":1}")).size(), 1024U);
    EXPECT_LT(answer_to(request("POST", "/v1/scale", "{\"" + std::string(7000, 'x') + "\":1}")).size(), 1024U);
    EXPECT_LT(answer_to(request(std::string(7000, 'X'), "/v1/scale")).size(), 1024U);
}

struct Wrong {
    std::string method, target, body;
    int http_status;
    std::string reason;
};

// Requests that every route rejects, and some that only one route does.
std::vector<Wrong> rejected_requests() {
    std::vector<Wrong> wrong;
    const std::vector<std::pair<std::string, std::string>> gets = {{"/v1/status", "takes no query"},
                                                                   {"/v1/history", "expected limit=N"},
                                                                   {"/v1/logs", "like worker=1.0"},
                                                                   {"/v1/why", "like worker=1.0"},
                                                                   {"/v1/events", "takes no query"}};
    for (const auto& [path, expected] : gets) {
        for (const std::string method : {"POST", "PUT", "DELETE", "HEAD"}) {
            wrong.push_back({method, path, "", 405, "takes GET, not " + method});
        }
        wrong.push_back({"GET", path + "?colour=red", "", 400, expected});
    }
    for (const std::string path :
         {"/v1/restart", "/v1/stop", "/v1/scale", "/v1/rollback", "/v1/undo", "/v1/pause", "/v1/resume"}) {
        wrong.push_back({"GET", path, "", 405, "takes POST, not GET"});
        wrong.push_back({"PATCH", path, "", 405, "takes POST, not PATCH"});
        wrong.push_back({"POST", path + "?wait=maybe", "", 400, "wait=yes or wait=no"});
        wrong.push_back({"POST", path, "[]", 400, "not a JSON object"});
        wrong.push_back({"POST", path, "{", 400, "not valid JSON"});
        wrong.push_back({"POST", path, "{} {}", 400, "not valid JSON"});
        wrong.push_back({"POST", path, R"({"canary": 1})", 400, "canary"});
        wrong.push_back({"POST", path, std::string(50'000, '['), 400, "too deep"});
        wrong.push_back({"POST", path, R"({"a":{"b":{"c":{"d":{"e":1}}}}})", 400, "too deep"});
    }
    wrong.push_back({"DELETE", "/v1/reload", "", 405, "takes GET, POST, not DELETE"});
    wrong.push_back({"GET", "/v1/reload?wait=no", "", 400, "takes no query"});
    wrong.push_back({"POST", "/v1/reload", R"({"file": "x"})", 400, "file"});
    wrong.push_back({"GET", "/v1/history?limit=-1", "", 400, "limit=N"});
    wrong.push_back({"GET", "/v1/history?limit=99999999999999999999999", "", 400, "limit=N"});
    wrong.push_back({"GET", "/v1/why", "", 400, "must name a worker"});
    wrong.push_back({"GET", "/v1/why?worker=", "", 400, "must name a worker"});
    wrong.push_back({"GET", "/v1/logs?worker=../../etc", "", 400, "worker=1.0"});
    wrong.push_back({"GET", "http://h/v1/status", "", 404, "GET /v1/status"});
    wrong.push_back({"GET", "/v1/status/", "", 404, "unknown path /v1/status/"});
    wrong.push_back({"OPTIONS", "*", "", 404, "GET /v1/status"});
    return wrong;
}

TEST_F(RoutesTest, RejectInvalidRequestsWithoutAChange) {
    start();
    for (const Wrong& wrong : rejected_requests()) {
        const std::string answer = answer_to(request(wrong.method, wrong.target, wrong.body));
        const std::string what = wrong.method + " " + wrong.target + " " + wrong.body.substr(0, 40);
        EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(wrong.http_status) + " ")) << what;
        if (wrong.method == "HEAD") continue;
        EXPECT_THAT(answer, HasSubstr(R"({"error":")")) << what;
        EXPECT_THAT(answer, HasSubstr(wrong.reason)) << what;
    }
    EXPECT_TRUE(requests_.empty());
    EXPECT_TRUE(reloads_.empty());
}

}  // namespace
}  // namespace holdfast::api
