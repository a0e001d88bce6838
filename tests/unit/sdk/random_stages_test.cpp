// Drives a worker through random stages while the threads of a random program use it. Seeds decide the stages, the
// threads, and what they hold; the order of the threads is the system's. `scripts/random-stages` runs more seeds.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <holdfast/worker.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fake_supervisor.hpp"
#include "loop_thread.hpp"
#include "random_program.hpp"

namespace holdfast::testing {
namespace {

unsigned from_environment(const char* name, unsigned usual) {
    const char* value = std::getenv(name);
    return value == nullptr ? usual : static_cast<unsigned>(std::stoul(value));
}

// One worker from its first stage to the end.
class RandomStages {
  public:
    explicit RandomStages(unsigned seed) : random_(seed) {
        if (pick(random_, 4) > 0) supervisor_ = std::make_unique<FakeSupervisor>();
        WorkerOptions options;
        options.lame_duck = std::chrono::milliseconds(pick(random_, 3));
        options.grace_period = options.cancel_period = sufficient;
        options.drive = pick(random_, 3) == 0 ? WorkerOptions::Drive::dispatch : WorkerOptions::Drive::helper_thread;
        if (options.drive == WorkerOptions::Drive::helper_thread && pick(random_, 3) == 0) {
            options.post = [this](auto function) { loop_.post(std::move(function)); };
        }
        options.give_up = WorkerOptions::GiveUp::return_status;
        worker_.emplace(options);
        program_.emplace(*worker_, random_());
    }

    std::vector<std::string> run() {
        std::optional<Request> held = worker_->begin_request("held during the first stages");
        program_->start_threads();
        worker_->ready();
        Waiter waiter(*worker_);
        if (supervisor_) send_answered_stages();
        wait_for_requests(pick(random_, 60));
        if (pick(random_, 2) == 0) held.reset();
        if (supervisor_) send_stages();
        end(held);
        program_->wind_up();
        held.reset();
        const int status = waiter.status();
        program_->check_end(1);
        check_status(status);
        if (supervisor_ && !has_hung_up_) check_reports();
        return findings();
    }

  private:
    std::vector<std::string> findings() const {
        std::vector<std::string> all = program_->findings();
        all.insert(all.end(), findings_.begin(), findings_.end());
        return all;
    }

    void expect(bool holds, const std::string& what) {
        if (!holds) findings_.push_back(what);
    }

    std::chrono::milliseconds time_left() {
        return pick(random_, 2) == 0 ? std::chrono::milliseconds(pick(random_, 20)) : sufficient;
    }

    // Sends stages one by one while a request prevents the release, and waits for each answer.
    void send_answered_stages() {
        supervisor_->wait_for([this](const Report& report) { return note(report) && report.ready; });
        expect(announced_.has(Stage::pause) == program_->can_pause() &&
                   announced_.has(Stage::run) == program_->can_pause(),
               "the stages that are announced are wrong");
        Stage reached = Stage::run;
        for (unsigned count = pick(random_, 6); count > 0; --count) {
            const Stage stage = stages[pick(random_, program_->can_pause() ? 4 : 2)];
            supervisor_->send_stage(stage, time_left());
            if (stage == Stage::lame_duck || (stage != Stage::run && rank_of(stage) <= rank_of(reached))) continue;
            reached = stage;
            supervisor_->wait_for(
                [&](const Report& report) { return note(report) && report.accepting == (stage == Stage::run); });
            expect(program_->is_accepting() == (stage == Stage::run), "the answer to a stage is not true");
        }
    }

    // Sends stages faster than they are reached.
    void send_stages() {
        for (unsigned count = pick(random_, 6); count > 0; --count) {
            supervisor_->send_stage(stages[pick(random_, 4)], time_left());
            if (pick(random_, 2) == 0) wait_for_requests(pick(random_, 60));
            for (const Report& report : supervisor_->received()) note(report);
        }
    }

    // Waits until some more have begun, or none may begin any more.
    void wait_for_requests(unsigned more) {
        const std::uint64_t before = program_->begun();
        EXPECT_TRUE(eventually([&] { return program_->begun() >= before + more || program_->was_refused(); }));
    }

    // Sends what leads to the end.
    void end(const std::optional<Request>& held) {
        if (!supervisor_) return worker_->stop();
        switch (pick(random_, 4)) {
            case 0:
                was_cancelled_ = true;
                supervisor_->send_stage(Stage::cancel, time_left());
                if (!held) return;
                had_held_at_cancel_ = true;
                expect(eventually([this] { return program_->is_cancelled(); }), "on_cancel was not called");
                return;
            case 1:
                has_hung_up_ = true;
                for (const Report& report : supervisor_->received()) note(report);
                return supervisor_->hang_up();
            case 2:  // too late, or not
                supervisor_->send_stage(Stage::drain, time_left());
                wait_for_requests(pick(random_, 60));
                supervisor_->send_stage(Stage::run);
                if (program_->was_refused()) return;
                [[fallthrough]];
            default:
                supervisor_->send_stage(Stage::drain, time_left());
        }
    }

    void check_status(int status) {
        const bool may_be_unclean = was_cancelled_ || program_->may_have_failed();
        const bool must_be_unclean = had_held_at_cancel_ || program_->has_failed();
        expect(status == 0 || status == 3, "wait() returned " + std::to_string(status));
        expect(status == 0 || may_be_unclean, "wait() returned 3 though nothing failed or was cancelled");
        expect(status == 3 || !must_be_unclean, "wait() returned 0 though something failed or was held at the cancel");
    }

    // Checks a report against those before it. Returns true.
    bool note(const Report& report) {
        expect(!(is_releasing_ && report.accepting == true), "ACCEPTING=1 after the release has begun");
        expect(!is_drained_, "a message after DRAINED=1");
        expect(!report.drained || is_releasing_ || report.releasing, "DRAINED=1 without RELEASING=1");
        expect(!report.drained || report.in_flight == 0U, "DRAINED=1 with requests in flight");
        expect(!report.served || *report.served >= served_, "SERVED decreases");
        if (report.accepting && report.accepting != accepting_) ++accepting_changes_;
        accepting_ = report.accepting.value_or(accepting_);
        served_ = report.served.value_or(served_);
        announced_ = report.stages.value_or(announced_);
        is_releasing_ = is_releasing_ || report.releasing;
        is_drained_ = is_drained_ || report.drained;
        return true;
    }

    void check_reports() {
        if (!is_drained_)
            supervisor_->wait_for([this](const Report& report) { return note(report) && report.drained; });
        for (const Report& report : supervisor_->received()) note(report);
        // The first change is READY=1 with ACCEPTING=1.
        expect(accepting_changes_ <= program_->accepting_changes() + 1,
               "more answers than times that accepting changed");
    }

    static constexpr Stage stages[] = {Stage::lame_duck, Stage::drain, Stage::pause, Stage::run};

    static int rank_of(Stage stage) { return static_cast<int>(stage); }  // of lame_duck, pause and drain

    Random random_;
    std::unique_ptr<FakeSupervisor> supervisor_;
    LoopThread loop_;
    std::optional<Worker> worker_;
    std::optional<RandomProgram> program_;
    std::vector<std::string> findings_;
    bool has_hung_up_ = false;
    bool was_cancelled_ = false;
    bool had_held_at_cancel_ = false;
    bool is_releasing_ = false;
    bool is_drained_ = false;
    StageSet announced_;
    bool accepting_ = false;
    std::uint64_t accepting_changes_ = 0;
    std::uint64_t served_ = 0;
};

TEST(RandomStages, KeepEveryPromiseForEverySeed) {
    const unsigned first = from_environment("RANDOM_STAGES_FIRST_SEED", 1);
    const unsigned seeds = from_environment("RANDOM_STAGES_SEEDS", 40);
    for (unsigned seed = first; seed - first < seeds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        for (const std::string& finding : RandomStages(seed).run()) ADD_FAILURE() << finding;
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace holdfast::testing
