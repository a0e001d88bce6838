#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <holdfast/worker.hpp>
#include <optional>
#include <string>
#include <vector>

#include "call_recorder.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Reports : ::testing::Test {
    Reports() {
        worker.accepts([] {}, [] {});
    }
    FakeSupervisor supervisor;
    Worker worker;
};

TEST_F(Reports, CountEverythingAndListTheSixteenOldestOfEachKind) {
    std::vector<Request> requests;
    std::vector<Session> sessions;
    for (int i = 0; i < 20; ++i) {
        requests.push_back(worker.begin_request("GET /"));
        sessions.push_back(worker.begin_session("stream " + std::to_string(i)));
    }
    const Work item = worker.hold_work("order", [] {});
    worker.close_last("pool", [] {});
    const DrainReport report = worker.report();
    EXPECT_EQ(report.requests, 20U);
    EXPECT_EQ(report.sessions, 20U);
    EXPECT_EQ(report.work, 1U);
    EXPECT_EQ(report.resources, 1U);
    EXPECT_EQ(report.waiting.size(), 34U);
    const auto lines = lines_of(report.waiting);
    EXPECT_THAT(std::vector(lines.begin(), lines.begin() + 6),
                ElementsAre("request GET /", "session stream 0", "work order", "resource pool", "request GET /",
                            "session stream 1"));
    EXPECT_EQ(lines.back(), "session stream 15");
}

TEST_F(Reports, AreReadableAsText) {
    worker.ready();
    { const Request served = worker.begin_request("GET /"); }
    EXPECT_EQ(worker.report().text(), "stage run; held: nothing; served 1\n");
    const Request stuck = worker.begin_request("GET /\x1bslow");
    supervisor.send_stage(Stage::drain, 1h);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_THAT(worker.report().text(), AllOf(HasSubstr("stage drain, 3600.0 s left; held: 1 request; served 1\n"),
                                              HasSubstr("\n  request GET /\\x1bslow (0.")));
}

TEST_F(Reports, AreSentWithCountsDuringADrain) {
    std::optional<Request> request = worker.begin_request("GET /");
    const Session session = worker.begin_session("stream");
    worker.ready();
    supervisor.send_stage(Stage::drain);
    const Report report = supervisor.wait_for(has_stopped_accepting);
    EXPECT_EQ(report.held, (std::vector<HeldCount>{{"request", 1}, {"session", 1}}));
    EXPECT_EQ(report.handed_back, std::nullopt);
    request.reset();
    const Report next = supervisor.wait_for([](const Report& later) { return later.in_flight == 0U; });
    EXPECT_EQ(next.held, (std::vector<HeldCount>{{"session", 1}}));
}

bool asks_for_time(const Report& report) { return report.extend_usec.has_value(); }

TEST_F(Reports, RequestAnExtensionOnlyWhileRequestsFinish) {
    std::vector<Request> queue;
    for (int i = 0; i < 100; ++i) queue.push_back(worker.begin_request("GET /"));
    worker.ready();
    supervisor.send_stage(Stage::drain, 2s);
    for (int reports = 0; reports < 2; ++reports) {  // no request finishes: reports have counts only
        const Report report = supervisor.wait_for([](const Report& any) { return any.in_flight == 100U; });
        EXPECT_FALSE(asks_for_time(report));
    }
    queue.pop_back();
    const Report report = supervisor.wait_for(asks_for_time);
    EXPECT_EQ(report.in_flight, 99U);
    EXPECT_GT(*report.extend_usec, 0);
}

TEST_F(Reports, RequestNoExtensionWhileEnoughTimeIsLeft) {
    std::vector<Request> queue;
    for (int i = 0; i < 3; ++i) queue.push_back(worker.begin_request("GET /"));
    worker.ready();
    supervisor.send_stage(Stage::drain, 1h);
    supervisor.wait_for(has_stopped_accepting);
    queue.pop_back();
    EXPECT_FALSE(asks_for_time(supervisor.wait_for([](const Report& any) { return any.in_flight == 2U; })));
}

}  // namespace
}  // namespace holdfast::testing
