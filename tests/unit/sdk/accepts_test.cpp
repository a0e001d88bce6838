// A worker announces and answers only what its program can do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <holdfast/worker.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

#include "call_recorder.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;

struct Accepts : ::testing::Test {
    FakeSupervisor supervisor;
    CallRecorder recorder;
    Worker worker;

    void add_accepts() { worker.accepts(recorder.callback("stop"), recorder.callback("start")); }

    // The stages of the last HELLO that was sent up to READY.
    std::vector<Stage> announced() {
        std::optional<StageSet> last;
        supervisor.wait_for([&](const Report& report) {
            if (report.hello) last = report.stages;
            return report.ready;
        });
        std::vector<Stage> stages;
        for (Stage stage : {Stage::run, Stage::lame_duck, Stage::pause, Stage::drain, Stage::cancel}) {
            if (last && last->has(stage)) stages.push_back(stage);
        }
        return stages;
    }

    // A command that has no answer is followed by one that has a visible effect.
    void expect_no_answer_before_drained() {
        for (;;) {
            const Report report = supervisor.wait_for([](const Report&) { return true; });
            EXPECT_FALSE(report.accepting.has_value());
            if (report.drained || ::testing::Test::HasFailure()) return;
        }
    }
};

TEST_F(Accepts, IsAllThatPauseAndRunNeed) {
    add_accepts();
    worker.ready();
    EXPECT_THAT(announced(), ElementsAre(Stage::run, Stage::lame_duck, Stage::pause, Stage::drain, Stage::cancel));
}

TEST_F(Accepts, OfOnPauseAndOnRunIsTheSame) {
    worker.on_pause([] {});
    worker.on_run([] {});
    worker.ready();
    EXPECT_THAT(announced(), ElementsAre(Stage::run, Stage::lame_duck, Stage::pause, Stage::drain, Stage::cancel));
}

TEST_F(Accepts, OfOnDrainAloneAnnouncesNeitherPauseNorRun) {
    worker.on_drain([] {});
    worker.ready();
    EXPECT_THAT(announced(), ElementsAre(Stage::lame_duck, Stage::drain, Stage::cancel));
}

TEST_F(Accepts, OfOnPauseAloneAnnouncesNeitherPauseNorRun) {
    worker.on_pause([] {});
    worker.ready();
    EXPECT_THAT(announced(), ElementsAre(Stage::lame_duck, Stage::drain, Stage::cancel));
}

TEST_F(Accepts, StopsAtAPauseAndStartsAtRun) {
    add_accepts();
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::pause);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_THAT(recorder.lines(), ElementsAre("stop"));
    supervisor.send_stage(Stage::run);
    supervisor.wait_for(accepts);
    EXPECT_THAT(recorder.lines(), ElementsAre("stop", "start"));
}

TEST_F(Accepts, StopsOnceAtAPauseThatBecomesADrain) {
    add_accepts();
    Request request = worker.begin_request("GET /");
    worker.ready();
    supervisor.send_stage(Stage::pause);
    supervisor.wait_for(has_stopped_accepting);
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_THAT(recorder.lines(), ElementsAre("stop"));
    supervisor.send_stage(Stage::run);
    supervisor.wait_for(accepts);
    EXPECT_THAT(recorder.lines(), ElementsAre("stop", "start"));
}

TEST_F(Accepts, DoesNotStartWhatWasNotStopped) {
    add_accepts();
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::lame_duck);
    supervisor.send_stage(Stage::run);
    supervisor.wait_for(accepts);
    EXPECT_THAT(recorder.lines(), ElementsAre());
}

TEST_F(Accepts, IsNotAnsweredIfStoppingFails) {
    worker.accepts([] { throw std::runtime_error("the loop is gone"); }, [] {});
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::pause);
    supervisor.send_stage(Stage::drain);
    expect_no_answer_before_drained();
}

TEST_F(Accepts, IsNotAnsweredIfStartingFails) {
    worker.accepts([] {}, [] { throw std::runtime_error("the loop is gone"); });
    worker.ready();
    supervisor.send_stage(Stage::pause);
    supervisor.wait_for(has_stopped_accepting);
    supervisor.send_stage(Stage::run);
    supervisor.send_stage(Stage::cancel);
    supervisor.wait_for([](const Report& report) {
        EXPECT_NE(report.accepting, true);
        return report.drained;
    });
}

TEST_F(Accepts, IsNotClaimedByAProgramThatOnlyDrains) {
    worker.on_drain(recorder.callback("drain"));
    Request request = worker.begin_request("GET /");
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::pause);  // was not announced
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    EXPECT_THAT(recorder.lines(), ElementsAre("drain"));
    supervisor.send_stage(Stage::run);  // was not announced: the drain goes on
    supervisor.wait_until_read();
    request.end();
    supervisor.wait_for([](const Report& report) {
        EXPECT_NE(report.accepting, true);
        return report.drained;
    });
}

TEST_F(Accepts, IsNotDeniedByAProgramThatDoesNotSayHowToStop) {
    worker.ready();
    supervisor.wait_for(accepts);
    supervisor.send_stage(Stage::drain);
    expect_no_answer_before_drained();
}

}  // namespace
}  // namespace holdfast::testing
