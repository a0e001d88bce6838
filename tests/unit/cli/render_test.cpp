#include "cli/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Render, FormatsDurations) {
    EXPECT_EQ(render_seconds(0.44), "0.4s");
    EXPECT_EQ(render_seconds(-1), "0.0s");
    EXPECT_EQ(render_seconds(9.96), "10s");
    EXPECT_EQ(render_seconds(59.4), "59s");
    EXPECT_EQ(render_seconds(59.6), "1m00s");
    EXPECT_EQ(render_seconds(185), "3m05s");
    EXPECT_EQ(render_seconds(7800), "2h10m");
    EXPECT_EQ(render_seconds(356400), "4d03h");
}

TEST(Render, AlignsColumnsToTheWidestCell) {
    EXPECT_EQ(render_table({{"A", "LONG", "C"}, {"longer", "x", ""}}), "A       LONG  C\nlonger  x\n");
}

api::ServiceView web() {
    api::ServiceView service;
    service.name = "web";
    service.pid = 812;
    service.phase = "rolling_out";
    service.detail = "generation 2: 1 of 2 ready";
    service.target = 2;
    service.generation = 2;
    service.restarts = 1;
    service.listeners = {{"http", "[::]:8080", 4096, 0}};
    api::WorkerView old_worker;
    old_worker.worker = "1.0";
    old_worker.pid = 900;
    old_worker.state = "lame_duck";
    old_worker.since_s = 12;
    old_worker.deadline_s = 18;
    old_worker.served = 1204;
    old_worker.in_flight = 2;
    old_worker.why_leaving = "restart";
    old_worker.waiting = {{"request", "GET /report", 2.5}, {"task", "consumer", 80}, {"request", "GET /", 1}};
    old_worker.held = {{"request", 2}, {"session", 64}, {"task", 1}};
    api::WorkerView new_worker;
    new_worker.worker = "2.0";
    new_worker.state = "ready";
    new_worker.since_s = 0.3;
    new_worker.status = "warming up";
    service.workers = {old_worker, new_worker};
    return service;
}

TEST(Render, ShowsAServiceWithItsWorkers) {
    EXPECT_EQ(render_status(web()),
              "web (pid 812): rolling out, generation 2: 1 of 2 ready\n"
              "generation 2, target 2, crashes replaced 1\n"
              "listening on [::]:8080 as http\n"
              "\n"
              "WORKER  PID  STATE      SINCE  SERVED  IN-FLIGHT  NOTE\n"
              "1.0     900  lame duck  12s    1204    2          at most 18s more; restart; waits for 2 requests: "
              "GET /report (2.5s), GET / (1.0s); 64 sessions; task consumer (1m20s)\n"
              "2.0     -    ready      0.3s   -       -          not settled yet; warming up\n");
}

TEST(Render, SaysThatAPauseIsNotConfirmed) {
    api::ServiceView service = web();
    service.workers[0].state = "paused";
    service.workers[0].accepting = true;
    EXPECT_THAT(render_status(service), HasSubstr("told to pause, not confirmed yet"));
    service.workers[0].accepting = false;
    EXPECT_THAT(render_status(service), Not(HasSubstr("not confirmed")));
}

TEST(Render, SaysThatProcessesCannotBeSeen) {
    api::ServiceView service = web();
    service.workers[0].not_seen = "cannot list /proc: Too many open files";
    EXPECT_THAT(render_status(service),
                HasSubstr("its processes cannot be seen: cannot list /proc: Too many open files"));
}

TEST(Render, NamesOnlyTheOldestOfWhatAWorkerHolds) {
    api::ServiceView service = web();
    api::WorkerView& worker = service.workers[0];
    worker.waiting.assign(5, {"session", "/chat", 7});
    worker.held = {{"session", 5000}};
    worker.handed_back = 3;
    worker.lost = 1;
    EXPECT_THAT(render_status(service), HasSubstr("waits for 5000 sessions, the oldest: /chat (7.0s), /chat (7.0s), "
                                                  "/chat (7.0s); handed back 3 items of work; lost 1 item of work\n"));
    worker.why_leaving.clear();  // what it holds matters only while it leaves
    EXPECT_THAT(render_status(service), Not(HasSubstr("sessions")));
}

TEST(Render, ShowsAWorkerThatReleasedEverythingButHasNotExited) {
    api::ServiceView service = web();
    api::WorkerView& worker = service.workers[0];
    worker.waiting.clear();
    worker.held.clear();
    worker.drained_s = 3;
    EXPECT_THAT(render_status(service), HasSubstr("released everything 3.0s ago and has not exited"));
    worker.waiting = {{"resource", "pool (its close threw)", 4}};
    EXPECT_THAT(render_status(service),
                HasSubstr("released everything but resource pool (its close threw) (4.0s) 3.0s ago and has not"));
}

TEST(Render, ShowsMixedGenerationsCrashesAndRevivedListeners) {
    api::ServiceView service = web();
    service.mixed = true;
    service.listeners[0].revived = 2;
    service.slots = {{1, 4, 3.5, "worker 1.1 exited with status 3", {"boom"}}, {0, 0, std::nullopt, "", {}}};
    const std::string text = render_status(service);
    EXPECT_NE(text.find("mixed: workers of more than one generation serve"), text.npos);
    EXPECT_NE(text.find("as http, revived 2 times"), text.npos);
    EXPECT_NE(text.find("slot 1: 4 crashes in a row, next attempt in 3.5s: worker 1.1 exited with status 3\n  boom\n"),
              text.npos);
    EXPECT_EQ(text.find("slot 0"), text.npos);
}

TEST(Render, ShowsTheChangeUnderWayAndOtherConditions) {
    api::ServiceView service = web();
    service.change =
        api::ChangeView{"restart to generation 2", "uid 0, pid 7 over the API", "probation", "2.1 crashed", 12, 1};
    service.paused_s = 30;
    service.refusing = true;
    service.unready_because = "1 of 2 workers is ready";
    service.rollback_to = 1;
    service.workers[1].recall = "awaited";
    service.workers[1].probe = "HTTP 500";
    const std::string text = render_status(service);
    EXPECT_THAT(text,
                HasSubstr("under way: restart to generation 2, probation, 12s more; asked for by uid 0, pid 7 over "
                          "the API; 1 request queued behind it\nfailed: 2.1 crashed\n"));
    EXPECT_THAT(text, HasSubstr("paused: accepts again in 30s at the latest\n"));
    EXPECT_THAT(text, HasSubstr("refusing: no worker serves, new connections are refused at once\n"));
    EXPECT_THAT(text, HasSubstr("not ready: 1 of 2 workers is ready\n"));
    EXPECT_THAT(text, HasSubstr("rollback would start the program of generation 1\n"));
    EXPECT_THAT(text, HasSubstr("told to accept again, not confirmed yet; the last probe said HTTP 500"));
}

TEST(Render, ShowsTheLastLinesOfEachWorker) {
    EXPECT_EQ(render_logs({{"1.0", 9, "living", {"a", "b"}}, {"2.0", 10, "ended", {}}}),
              "worker 1.0 (pid 9):\n  a\n  b\nworker 2.0 (pid 10), ended:\n  (no output)\n");
    EXPECT_EQ(render_logs({}), "no output of a worker is kept\n");
    EXPECT_EQ(logs_to_json({{"1.0", 9, "living", {"a\"", "\x1b"}}}),
              "[{\"worker\":\"1.0\",\"pid\":9,\"of\":\"living\",\"lines\":[\"a\\\"\",\"\\u001b\"]}]\n");
}

TEST(Render, ShowsAnOutcomeWithTheLastLinesOfOutput) {
    api::ChangeOutcome answer;
    answer.result = "failed";
    answer.text = "generation 2 was not ready within 60s";
    answer.last_words = {"cannot read app.conf", "bye"};
    EXPECT_EQ(render_outcome(answer),
              "generation 2 was not ready within 60s\nits last words:\n  cannot read app.conf\n  bye\n");
    answer.last_words.clear();
    answer.text.clear();
    EXPECT_EQ(render_outcome(answer), "failed\n");
}

}  // namespace
}  // namespace holdfast::cli
