#include "api/server/encode.hpp"

#include <gtest/gtest.h>

#include "api/client/decode.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;

core::Status full_status() {
    core::Status status;
    status.name = "web";
    status.pid = 812;
    status.now = Instant{100s};
    status.phase = core::Phase::rolling_out;
    status.detail = "generation 2: 1 of 2 ready";
    status.mixed = true;
    status.target = 2;
    status.generation = Generation{2};
    status.restarts = 3;
    core::WorkerStatus worker;
    worker.generation = Generation{1};
    worker.slot = SlotId{0};
    worker.pid = 900;
    worker.state = core::WorkerState::draining;
    worker.since = Instant{87s + 500ms};
    worker.deadline = Instant{117s + 500ms};
    worker.speaks = core::Speaks::protocol;
    worker.settled = true;
    worker.accepting = false;
    worker.in_flight = 2;
    worker.served = 12345678901;
    worker.waiting = {{"request", "GET /report", 2'500'000}};
    worker.held = {{"request", 40}, {"task", 1}};
    worker.handed_back = 5;
    worker.lost = 2;
    worker.drained_at = Instant{99s};
    worker.text = "busy";
    worker.why_leaving = "restart";
    worker.recall = core::WorkerStatus::Recall::awaited;
    worker.probe = "HTTP 500";
    worker.silent_until = Instant{103s};
    status.workers = {worker, core::WorkerStatus{}};
    status.slots = {{SlotId{1}, 4, Instant{101s}, "worker 2.1 exited with status 3", {"no database"}},
                    {SlotId{0}, 0, std::nullopt, {}, {}}};
    status.ready = false;
    status.unready_because = "1 of 2 workers is ready, --min-ready is 2";
    status.refusing = true;
    status.change = {"restart to generation 2", "SIGHUP from pid 1", "starting", "probe failed", Instant{160s}, 3};
    status.paused_until = Instant{130s};
    status.rollback_to = Generation{1};
    status.listeners = {{"http", "[::]:8080", 4096, 1}};
    return status;
}

TEST(Encode, WritesEveryFieldOfAStatus) {
    EXPECT_EQ(
        to_json(full_status()),
        R"({"name":"web","pid":812,"phase":"rolling_out","detail":"generation 2: 1 of 2 ready","mixed":true,)"
        R"("target":2,"generation":2,"restarts":3,)"
        R"("ready":false,"unready_because":"1 of 2 workers is ready, --min-ready is 2","refusing":true,)"
        R"("change":{"what":"restart to generation 2","asked_by":"SIGHUP from pid 1","stage":"starting",)"
        R"("failure":"probe failed","deadline_s":60.000,"waiting":3},"paused_s":30.000,"rollback_to":1,"workers":[)"
        R"({"worker":"1.0","generation":1,"slot":0,"pid":900,"state":"draining","since_s":12.500,"deadline_s":17.500,)"
        R"("speaks":"protocol","settled":true,"accepting":false,"in_flight":2,"served":12345678901,)"
        R"("waiting":[{"kind":"request","name":"GET /report","age_s":2.500}],)"
        R"("held":[{"kind":"request","count":40},{"kind":"task","count":1}],"handed_back":5,"lost":2,"not_seen":"","drained_s":1.000,)"
        R"("status":"busy","why_leaving":"restart",)"
        R"("recall":"awaited","probe":"HTTP 500","silent_s":3.000},)"
        R"({"worker":"0.0","generation":0,"slot":0,"pid":0,"state":"starting","since_s":100.000,"deadline_s":null,)"
        R"("speaks":"nothing","settled":false,"accepting":null,"in_flight":null,"served":null,"waiting":[],)"
        R"("held":[],"handed_back":null,"lost":null,"not_seen":"","drained_s":null,)"
        R"("status":"","why_leaving":"","recall":"none","probe":"","silent_s":null}],)"
        R"("slots":[{"slot":1,"crashes_in_a_row":4,"next_attempt_s":1.000,)"
        R"("last_failure":"worker 2.1 exited with status 3","last_words":["no database"]},)"
        R"({"slot":0,"crashes_in_a_row":0,"next_attempt_s":null,"last_failure":"","last_words":[]}],)"
        R"("listeners":[{"name":"http","address":"[::]:8080","backlog":4096,"revived":1}]})");
}

TEST(Encode, WritesAStatusThatTheClientDecodes) {
    const auto view = decode_status(to_json(full_status()));
    ASSERT_TRUE(view);
    EXPECT_EQ(view->name, "web");
    EXPECT_EQ(view->pid, 812);
    EXPECT_EQ(view->phase, "rolling_out");
    EXPECT_TRUE(view->mixed);
    EXPECT_EQ(view->target, 2);
    EXPECT_EQ(view->generation, 2U);
    EXPECT_EQ(view->restarts, 3U);
    ASSERT_EQ(view->workers.size(), 2U);
    const WorkerView& worker = view->workers[0];
    EXPECT_EQ(worker.worker, "1.0");
    EXPECT_EQ(worker.state, "draining");
    EXPECT_DOUBLE_EQ(worker.since_s, 12.5);
    EXPECT_DOUBLE_EQ(worker.deadline_s.value(), 17.5);
    EXPECT_EQ(worker.accepting, false);
    EXPECT_EQ(worker.in_flight, 2U);
    EXPECT_EQ(worker.served, 12345678901U);
    ASSERT_EQ(worker.waiting.size(), 1U);
    EXPECT_EQ(worker.waiting[0].name, "GET /report");
    ASSERT_EQ(worker.held.size(), 2U);
    EXPECT_EQ(worker.held[0].kind, "request");
    EXPECT_EQ(worker.held[0].count, 40U);
    EXPECT_EQ(worker.handed_back, 5U);
    EXPECT_EQ(worker.lost, 2U);
    EXPECT_DOUBLE_EQ(worker.drained_s.value(), 1.0);
    EXPECT_FALSE(view->workers[1].drained_s);
    EXPECT_FALSE(view->workers[1].deadline_s);
    EXPECT_FALSE(view->workers[1].accepting);
    EXPECT_DOUBLE_EQ(view->slots.at(0).next_attempt_s.value(), 1.0);
    EXPECT_EQ(view->listeners.at(0).revived, 1U);
}

TEST(Encode, WritesTheChangeUnderWayAndFailuresThatTheClientDecodes) {
    const auto view = decode_status(to_json(full_status()));
    ASSERT_TRUE(view);
    EXPECT_FALSE(view->ready);
    EXPECT_EQ(view->unready_because, "1 of 2 workers is ready, --min-ready is 2");
    EXPECT_TRUE(view->refusing);
    ASSERT_TRUE(view->change);
    EXPECT_EQ(view->change->what, "restart to generation 2");
    EXPECT_EQ(view->change->asked_by, "SIGHUP from pid 1");
    EXPECT_EQ(view->change->stage, "starting");
    EXPECT_EQ(view->change->failure, "probe failed");
    EXPECT_DOUBLE_EQ(view->change->deadline_s.value(), 60.0);
    EXPECT_EQ(view->change->waiting, 3);
    EXPECT_DOUBLE_EQ(view->paused_s.value(), 30.0);
    EXPECT_EQ(view->rollback_to, 1U);
    EXPECT_EQ(view->workers.at(0).recall, "awaited");
    EXPECT_EQ(view->workers.at(0).probe, "HTTP 500");
    EXPECT_DOUBLE_EQ(view->workers.at(0).silent_s.value(), 3.0);
    EXPECT_FALSE(view->workers.at(1).silent_s);
    EXPECT_EQ(view->slots.at(0).last_failure, "worker 2.1 exited with status 3");
    EXPECT_EQ(view->slots.at(0).last_words, std::vector<std::string>{"no database"});
}

TEST(Encode, WritesNullForAbsentValues) {
    const auto view = decode_status(to_json(core::Status{}));
    ASSERT_TRUE(view);
    EXPECT_FALSE(view->change);
    EXPECT_FALSE(view->paused_s);
    EXPECT_FALSE(view->rollback_to);
}

TEST(Encode, WritesAnOutcomeThatTheClientDecodes) {
    const core::Outcome outcome{core::Outcome::Result::failed, "generation 2 was not ready", {"no \"config\""}, 1};
    const std::string json = to_json(outcome);
    EXPECT_EQ(json, R"({"result":"failed","text":"generation 2 was not ready",)"
                    R"("last_words":["no \"config\""],"exit_code":1})");
    const auto answer = decode_outcome(json);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->result, "failed");
    EXPECT_EQ(answer->last_words, std::vector<std::string>{"no \"config\""});
    EXPECT_EQ(answer->exit_code, 1);
}

TEST(Encode, EscapesControlCharactersAndInvalidUtf8) {
    core::Outcome outcome;
    const auto text_of = [&](std::string text) {
        outcome.text = std::move(text);
        const auto answer = decode_outcome(to_json(outcome));
        return answer ? answer->text : "not decoded: " + to_json(outcome);
    };
    EXPECT_EQ(text_of("\x1b[2J\n\x7f"), R"(\x1b[2J\x0a\x7f)");
    EXPECT_EQ(text_of(std::string("a\0b", 3)), R"(a\x00b)");
    EXPECT_EQ(text_of("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x9D"), "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x9D");
    EXPECT_EQ(text_of("\xC2\x9B"), R"(\xc2\x9b)");          // C1: a control sequence in one character
    EXPECT_EQ(text_of("\xC3"), R"(\xc3)");                  // truncated
    EXPECT_EQ(text_of("\xC0\xAF"), R"(\xc0\xaf)");          // overlong
    EXPECT_EQ(text_of("\xED\xA0\x80"), R"(\xed\xa0\x80)");  // a surrogate
    EXPECT_EQ(text_of("\xF4\x90\x80\x80"), R"(\xf4\x90\x80\x80)");
    EXPECT_EQ(text_of("\xFF quote\" back\\"), R"(\xff quote" back\)");
}

TEST(Decode, IgnoresUnknownMembersAndWrongTypes) {
    const auto view = decode_status(R"({"name":"web","mood":"fine","pid":"x","workers":[1,{"worker":"3.1"}]})");
    ASSERT_TRUE(view);
    EXPECT_EQ(view->name, "web");
    EXPECT_EQ(view->pid, 0);
    EXPECT_EQ(view->workers.at(1).worker, "3.1");
}

TEST(Decode, FailsIfTheTextIsNotAnObject) {
    EXPECT_FALSE(decode_status("<html>"));
    EXPECT_FALSE(decode_outcome("[]"));
    EXPECT_EQ(decode_error("<html>"), "<html>");
    EXPECT_EQ(decode_error(error_to_json("the reason")), "the reason");
}

}  // namespace
}  // namespace holdfast::api
