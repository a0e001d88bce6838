#include "api/server/route.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/server/encode.hpp"

namespace holdfast::api {
namespace {

using testing::HasSubstr;

TEST(Route, FindsEachRequest) {
    EXPECT_TRUE(std::holds_alternative<StatusWanted>(find_route("GET", "/v1/status", "")));
    const auto restart = std::get<ChangeWanted>(find_route("POST", "/v1/restart", ""));
    EXPECT_TRUE(std::holds_alternative<core::Restart>(restart.request.what));
    EXPECT_EQ(restart.wait, ChangeWanted::Wait::for_outcome);
    const auto stop = std::get<ChangeWanted>(find_route("POST", "/v1/stop?wait=no", "{}"));
    EXPECT_EQ(std::get<core::Stop>(stop.request.what).lame_duck, core::LameDuck::as_configured);
    EXPECT_EQ(stop.wait, ChangeWanted::Wait::no);
    const auto scale = std::get<ChangeWanted>(find_route("POST", "/v1/scale", R"({"workers": 7})"));
    EXPECT_EQ(std::get<core::Scale>(scale.request.what).target, 7);
}

struct Refused {
    std::string method, target, body;
    int http_status;
    std::string reason;
};
void PrintTo(const Refused& refused, std::ostream* out) {
    *out << refused.method << " " << refused.target << " " << refused.body;
}

class RouteRefuses : public testing::TestWithParam<Refused> {};

TEST_P(RouteRefuses, WithTheReason) {
    const Refused& wrong = GetParam();
    const Route route = find_route(wrong.method, wrong.target, wrong.body);
    ASSERT_TRUE(std::holds_alternative<Rejection>(route));
    EXPECT_EQ(std::get<Rejection>(route).http_status, wrong.http_status);
    EXPECT_THAT(std::get<Rejection>(route).text, HasSubstr(wrong.reason));
}

INSTANTIATE_TEST_SUITE_P(Requests, RouteRefuses,
                         testing::Values(Refused{"GET", "/", "", 404, "GET /v1/status"},
                                         Refused{"GET", "/v1/statu", "", 404, "the paths are: GET"},
                                         Refused{"POST", "/v1/status", "", 405, "takes GET, not POST"},
                                         Refused{"GET", "/v1/stop", "", 405, "takes POST, not GET"},
                                         Refused{"DELETE", "/v1/scale", "", 405, "takes POST"},
                                         Refused{"POST", "/v1/stop?wait=maybe", "", 400, "wait=yes or wait=no"},
                                         Refused{"POST", "/v1/stop", "[]", 400, "not a JSON object"},
                                         Refused{"POST", "/v1/stop", "{", 400, "not valid JSON"},
                                         Refused{"POST", "/v1/restart", R"({"canary": 1})", 400, "\"canary\""},
                                         Refused{"POST", "/v1/scale", "", 400, "\"workers\" is missing"},
                                         Refused{"POST", "/v1/scale", R"({"worker": 1})", 400,
                                                 "unknown key \"worker\""},
                                         Refused{"POST", "/v1/scale", R"({"workers": -1})", 400, "from 0 to 4096"},
                                         Refused{"POST", "/v1/scale", R"({"workers": 4097})", 400, "from 0 to 4096"},
                                         Refused{"POST", "/v1/scale", R"({"workers": 1.5})", 400, "from 0 to 4096"},
                                         Refused{"POST", "/v1/scale", R"({"workers": "2"})", 400, "from 0 to 4096"},
                                         Refused{"POST", "/v1/scale", std::string(30000, '['), 400, "not valid JSON"}));

TEST(Route, NamesTheAllowedMethod) { EXPECT_EQ(std::get<Rejection>(find_route("GET", "/v1/stop", "")).allow, "POST"); }

TEST(Peer, IsAuthorizedOnlyAsTheSupervisorsUserOrRoot) {
    EXPECT_TRUE(is_authorized(1000, 1000));
    EXPECT_TRUE(is_authorized(0, 1000));
    EXPECT_FALSE(is_authorized(1001, 1000));
    EXPECT_FALSE(is_authorized(1000, 0));
    EXPECT_FALSE(is_authorized(static_cast<uid_t>(-1), 1000));
}

TEST(Peer, IsDescribedForTheLog) { EXPECT_EQ(describe(Peer{1000, 3101}), "uid 1000, pid 3101 over the API"); }

TEST(Outcome, HasAnHttpStatus) {
    using enum core::Outcome::Result;
    EXPECT_EQ(http_status_of(done), 200);
    EXPECT_EQ(http_status_of(failed), 500);
    EXPECT_EQ(http_status_of(mixed), 500);
    EXPECT_EQ(http_status_of(superseded), 409);
    EXPECT_EQ(http_status_of(interrupted), 409);
    EXPECT_EQ(http_status_of(refused), 409);
}

}  // namespace
}  // namespace holdfast::api
