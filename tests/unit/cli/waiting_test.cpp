#include "cli/waiting.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "api_fixture.hpp"
#include "threaded_supervisor.hpp"

namespace holdfast::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Respond = api::ThreadedSupervisor::Respond;

// A draining worker of the old generation that holds three requests; the oldest has taken 12 s.
core::WorkerStatus busy_worker() {
    core::WorkerStatus worker;
    worker.generation = Generation{1};
    worker.state = core::WorkerState::draining;
    worker.why_leaving = "restart";
    worker.waiting = {{"request", "GET /report", 12'000'000}};
    worker.held = {{"request", 3}};
    return worker;
}

class WaitingTest : public testing::Test {
  protected:
    void begin() {
        supervisor_.begin(directory_.listen());
        service_ = {directory_.path(), {}, {}};
        service_.status.name = "web";
    }
    Result<api::ChangeOutcome> restart(const Screen& screen) {
        return change_and_wait(command_, service_, {api::ChangeRequest::Kind::restart}, err_, screen);
    }
    Screen terminal(Colour colour) const {
        Screen screen;
        screen.error_width = [] { return 80; };
        screen.output_width = [] { return 80; };
        screen.colour = colour;
        return screen;
    }
    // Answers a restart after the client has polled the status twice.
    void answer_after_two_polls() {
        supervisor_.on_request = [this](const core::Request&, const Respond& answer) { waiting_ = answer; };
        supervisor_.on_snapshot = [this](core::Status& status) {
            status.name = "web";
            status.target = 1;
            status.generation = Generation{2};
            status.change = core::ChangeStatus{"restart to generation 2", "somebody", "taking over", "", {}, 0};
            status.workers = {busy_worker()};
            if (++polls_ == 2) supervisor_.post([this] { (*waiting_)({}); });
        };
    }

    api::ListeningDirectory directory_;
    api::Service service_;
    ClientCommand command_;
    std::ostringstream out_, err_;
    int polls_ = 0;
    std::optional<Respond> waiting_;
    api::ThreadedSupervisor supervisor_;
};

TEST_F(WaitingTest, PrintsALineForEachEventIfStandardErrorIsNotATerminal) {
    supervisor_.on_request = [this](const core::Request&, const Respond& answer) {
        supervisor_.emit(R"({"level":"info","event":"worker_launching","worker":"2.0","text":"launching"})");
        supervisor_.emit(R"({"level":"debug","event":"noise","worker":"2.0","text":"for machines"})");
        supervisor_.emit(R"({"level":"info","event":"mute","text":""})");
        supervisor_.emit(R"({"level":"info","event":"rollout_done","text":"generation 2 serves"})");
        supervisor_.post([answer] { answer({}); });
    };
    begin();
    EXPECT_TRUE(restart({}));
    EXPECT_EQ(err_.str(), "2.0: launching\ngeneration 2 serves\n");
}

TEST_F(WaitingTest, PrintsNoProgressWithJson) {
    supervisor_.on_request = [this](const core::Request&, const Respond& answer) {
        supervisor_.emit(R"({"level":"info","worker":"2.0","text":"launching"})");
        supervisor_.post([answer] { answer({}); });
    };
    begin();
    command_.format = Format::json;
    EXPECT_TRUE(restart({}));
    EXPECT_EQ(err_.str(), "");
}

TEST_F(WaitingTest, ShowsProgressOnATerminalAndErasesIt) {
    answer_after_two_polls();
    begin();
    EXPECT_TRUE(restart(terminal(Colour::no)));
    EXPECT_THAT(err_.str(), StartsWith("web: restart to generation 2: taking over\n"
                                       "[........................................] 0 of 2\n"
                                       "  1.0  draining: 3 requests, oldest GET /report 12s\n"));
    EXPECT_THAT(err_.str(), EndsWith("\r\x1b[3A\x1b[J"));
    EXPECT_THAT(err_.str(), Not(HasSubstr("\x1b[1m")));
}

TEST_F(WaitingTest, UsesColoursIfEnabled) {
    answer_after_two_polls();
    begin();
    EXPECT_TRUE(restart(terminal(Colour::yes)));
    EXPECT_THAT(err_.str(), HasSubstr("\x1b[1mweb: restart to generation 2"));
}

TEST_F(WaitingTest, SaysWhenInterruptedThatTheChangeContinuesAndHowToRevertIt) {
    supervisor_.on_request = [](const core::Request&, const Respond&) {};
    begin();
    using Kind = api::ChangeRequest::Kind;
    const std::string show = "`holdfast status web --watch` shows its progress";
    for (const auto& [kind, hint] : std::map<Kind, std::string>{
             {Kind::restart, "`holdfast undo web` reverts it, "},
             {Kind::stop, "`holdfast undo web` reverts it, "},
             {Kind::scale, "`holdfast scale web N` sets another number of workers, "},
             {Kind::pause, "`holdfast resume web` reverts it, "},
             {Kind::resume, "`holdfast pause web` reverts it, "},
             {Kind::undo, ""},
         }) {
        Screen screen;
        screen.was_interrupted = [calls = 0]() mutable { return ++calls > 1; };
        const auto answer = change_and_wait(command_, service_, {kind}, err_, screen);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().text, "stopped waiting, but the change continues: " + hint + show);
    }
}

TEST_F(WaitingTest, WatchPollsOnceForABurstOfEventsAndEndsWithTheSupervisor) {
    supervisor_.on_snapshot = [this](core::Status& status) {
        status.target = ++polls_;
        if (polls_ == 1) {
            for (int number = 0; number < 50; ++number) supervisor_.emit(R"({"text":"step"})");
        } else {
            supervisor_.post([this] { supervisor_.end(); });
        }
    };
    begin();
    EXPECT_TRUE(watch_status(command_, service_, out_, {}));
    EXPECT_THAT(out_.str(), HasSubstr("target 1,"));
    EXPECT_EQ(polls_, 2) << "it polled for each event";
}

TEST_F(WaitingTest, WatchPrintsAJsonObjectPerLine) {
    supervisor_.on_snapshot = [this](core::Status& status) {
        status.name = "web";
        if (++polls_ == 1) return supervisor_.emit(R"({"text":"step"})");
        supervisor_.end();
    };
    begin();
    command_.format = Format::json;
    EXPECT_TRUE(watch_status(command_, service_, out_, {}));
    EXPECT_THAT(out_.str(), StartsWith("{\"name\":\"web\""));
    EXPECT_THAT(out_.str(), EndsWith("}\n"));
}

TEST_F(WaitingTest, WatchUpdatesTheStatusInPlace) {
    supervisor_.on_snapshot = [this](core::Status& status) {
        status.target = ++polls_;
        if (polls_ == 1) supervisor_.emit(R"({"text":"step"})");
        if (polls_ == 2) supervisor_.emit(R"({"text":"step"})");
        if (polls_ == 3) supervisor_.end();
    };
    begin();
    EXPECT_TRUE(watch_status(command_, service_, out_, terminal(Colour::no)));
    EXPECT_THAT(out_.str(), HasSubstr("A\x1b[J"));
    EXPECT_THAT(out_.str(), HasSubstr("target 2,"));
}

}  // namespace
}  // namespace holdfast::cli
