// After each step the next deadline is in the future: a deadline in the past would cause a busy loop.

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

class RandomService {
  public:
    explicit RandomService(unsigned seed) : random_(seed), harness_(policy()) {
        if (one_in(3)) harness_.listener_claim = std::nullopt;
    }

    void step() {
        if (one_in(4)) {
            harness_.stall(Duration{std::uniform_int_distribution<std::int64_t>(0, 20'000'000)(random_)});
        } else if (one_in(2)) {
            harness_.advance(Duration{std::uniform_int_distribution<std::int64_t>(0, 3'000'000)(random_)});
        }
        one_in(6) ? ask() : feed_event();
        harness_.feed(Elapsed{});
        if (const auto next = harness_.next_deadline()) {
            EXPECT_GT(*next, harness_.now()) << harness_.status().detail;
        }
    }

    bool is_over() const { return harness_.exit_code().has_value(); }

  private:
    bool one_in(int chances) { return std::uniform_int_distribution<int>(1, chances)(random_) == 1; }
    std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }

    Policy policy() {
        Policy policy;
        policy.workers = 2;
        if (one_in(2)) policy.watchdog = 3s;
        if (one_in(2)) policy.probation = 5s;
        if (one_in(2)) policy.queue_for = 1s;
        if (one_in(2)) policy.max_surge = {1, false};
        if (one_in(2)) policy.lame_duck = 2s;
        policy.max_pause = 8s;
        policy.ready_timeout = 5s;
        policy.grace_period = 4s;
        if (one_in(2)) {
            policy.ready_when = ReadyProbe{ReadyProbe::How::http, ReadyProbe::Where::private_listener, {}, "/"};
        }
        return policy;
    }

    void ask() {
        switch (below(7)) {
            case 0:
                harness_.ask(Restart{});
                break;
            case 1:
                harness_.ask(Scale{static_cast<int>(below(4))});
                break;
            case 2:
                harness_.ask(Pause{});
                break;
            case 3:
                harness_.ask(Resume{});
                break;
            case 4:
                harness_.ask(Undo{});
                break;
            case 5:
                harness_.ask(Rollback{});
                break;
            default:
                if (one_in(10)) harness_.signal(Stop{});
                break;
        }
    }

    void feed_event() {
        const Status status = harness_.status();
        if (status.workers.empty()) return;
        const WorkerId worker = status.workers[below(status.workers.size())].id;
        switch (below(12)) {
            case 0:
                harness_.exited(worker, 1);
                break;
            case 1:
                harness_.feed(MainExited{worker, ExitedWith{0}, 1, 0});
                break;
            case 2:
                harness_.accepting(worker, one_in(2));
                break;
            case 3:
                harness_.report_watchdog(worker, one_in(10) ? Watchdog::trigger : Watchdog::alive);
                break;
            case 4:
                harness_.feed(
                    ListenerClaimed{worker, one_in(4) ? ListenerClaim::missing : ListenerClaim::held, "none"});
                break;
            case 5:
                harness_.probed(worker, one_in(2) ? ProbeAnswered::Answer::good : ProbeAnswered::Answer::bad,
                                "HTTP 500");
                break;
            case 6:
                if (one_in(4)) harness_.stopping(worker);
                break;
            case 7:
                if (one_in(4)) harness_.feed(ChannelLost{worker});
                break;
            default:
                harness_.serve(worker);
                harness_.probed(worker, ProbeAnswered::Answer::good);
                break;
        }
    }

    std::mt19937 random_;
    CoreHarness harness_;
};

TEST(Deadlines, AreInTheFutureAfterEachStep) {
    for (unsigned seed = 0; seed < 300 && !HasFailure(); ++seed) {
        SCOPED_TRACE(seed);
        RandomService service(seed);
        for (int i = 0; i < 150 && !service.is_over() && !HasFailure(); ++i) service.step();
    }
}

}  // namespace
}  // namespace holdfast::core::testing
