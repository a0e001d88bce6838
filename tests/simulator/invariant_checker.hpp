#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulator/possible_policies.hpp"
#include "tests/support/fake_world.hpp"

namespace holdfast::simulator {

// The longest time to an answer that was seen, as a share of its bound: shows that the bounds mean something.
struct LongestAnswers {
    std::array<double, 9> shares{};  // by the request's index
};

// Looks at a world after each event and records in it whatever breaks an invariant. It believes only what it saw:
// the snapshots before and after, the actions, and what the workers really did.
class InvariantChecker {
  public:
    InvariantChecker(testing::FakeWorld& world, LongestAnswers& longest);

    void after_start();
    void after_event();
    // How long the service may take to have all its workers again, once it is left alone.
    Duration recovery_bound() const;

  private:
    // A worker's state with the time since which this watch has seen it.
    struct Seen {
        WorkerId id;
        core::WorkerState state = core::WorkerState::starting;
        Instant since{};
        std::optional<Instant> first_ready{};
        bool has_settled = false;
        std::shared_ptr<const PossiblePolicies> policies{};  // when it entered its state
    };
    // The rollout that is under way.
    struct Rollout {
        Generation generation;
        int target = 0;
        bool is_whole = false;       // all new workers fit beside the old ones
        bool is_healthy = false;     // nobody that counted was lost by itself
        bool is_undisturbed = true;  // no operator asked for anything that moves workers
        bool is_new = true;          // it began in this step
        bool is_committed = false;   // an old worker was told to pause or to leave
        bool has_passed = false;     // its probation, if there is one
        bool was_in_probation = false;
        Generation former;
    };
    // What was true when a request came.
    struct Asked {
        std::size_t index = 0;
        Generation newest;
        int target = 0;
        bool is_of_rollout = false;  // undo: of a rollout, whose new generation was this
        Generation undone{};
        Instant heard_at{};  // later than it was asked, where the supervisor was stalled
    };

    void report_violation(int invariant, const std::string& what);
    Seen& seen(const core::WorkerStatus& worker);
    void enter(Seen& entry, core::WorkerState state);
    const Seen* find_seen(WorkerId id) const;
    bool is_about(WorkerId id) const;
    bool is_given_up(WorkerId id) const;
    void follow_policies();
    void note_ready_workers();
    bool got_ready(WorkerId id) const;
    void forget_exited();

    // invariants_transitions.cpp: invariants 2 and 7 for one worker.
    void note_stop();
    void check_workers();
    void check_transition(const core::WorkerStatus& worker, const Seen& was);
    void check_stage_duration(const core::WorkerStatus& worker, const Seen& was, Duration budget);
    void check_deadline(const core::WorkerStatus& worker, const Seen& now_seen);
    void check_ready(const core::WorkerStatus& worker, core::WorkerState was);
    void check_kills();
    void check_skip();
    void check_group_signal();
    void check_admission();
    bool accepts_now(const core::WorkerStatus& worker) const;
    void check_removed_listener_admission();

    // invariants_backoff.cpp: how crashes are followed.
    bool has_ended_unasked(const core::WorkerStatus& worker) const;
    bool is_launched_now(SlotId slot) const;
    bool is_given_up_now(WorkerId id) const;
    bool has_lost(SlotId slot) const;
    void check_backoff();
    void check_crash(const core::WorkerStatus& worker);
    void check_empty_slots();

    // invariants_rollout.cpp: invariants 3, 4 and 6.
    void check_counts();
    void follow_rollout();
    void begin_rollout();
    void check_failure();
    bool counts(const core::WorkerStatus& worker) const;
    void check_floor();
    void check_commit();

    // invariants_rollback.cpp: what makes a rollout harmless.
    bool is_old_one(WorkerId id) const;
    bool can_pause(WorkerId id) const;
    void check_untouched();
    void check_probation();
    void check_return();
    void check_undo_done(const testing::FakeRequest& ask, const Asked& asked);
    void check_silence();

    // invariants_answers.cpp: invariants 7 and 9 for requests.
    void note_asked();
    void check_answers();
    void check_answer(const testing::FakeRequest& ask, const Asked& asked);
    std::vector<core::WorkerStatus> serving(RequestId at) const;
    bool was_serving_at(RequestId at, const core::WorkerStatus& worker) const;
    void check_restart_done(const testing::FakeRequest& ask, const Asked& asked);
    void check_restart_failed(const testing::FakeRequest& ask);
    void check_scale_done(const testing::FakeRequest& ask);
    void check_stop_done(const testing::FakeRequest& ask);
    void check_overdue();
    void check_exit_code();

    testing::FakeWorld& world_;
    LongestAnswers& longest_;
    std::shared_ptr<const PossiblePolicies> policies_,
        next_policies_;                       // in this step; from the next one on, where they differ
    std::vector<core::Policy> all_policies_;  // that ever were possible
    struct Reload {
        PlanId plan;
        std::shared_ptr<const core::Policy> policy;
    };
    std::vector<Reload> reloads_;  // whose plans are not settled
    core::Policy in_force_;
    core::Policy longest() const { return PossiblePolicies(all_policies_, highest_target_).loose; }
    std::vector<Seen> seen_;
    std::optional<Instant> stop_asked_at_;     // the first one
    std::optional<Instant> stopping_since_;    // also without a stop, when the first generation failed
    std::optional<Instant> skip_honoured_at_;  // the last signal that could move anything
    std::optional<Instant> skip_heard_at_;     // the last one at all
    enum class Skip { none, allowed, demanded } skip_ = Skip::none;
    bool lame_duck_is_skipped_ = false;
    bool has_anyone_spoken_ = false;
    bool has_killed_in_stop_ = false;
    bool has_cut_off_in_stop_ = false;
    bool has_served_ = false;
    std::optional<Rollout> rollout_;
    std::optional<Instant> unserved_since_;
    int highest_target_ = 0;
    std::vector<Asked> asked_;
    std::vector<WorkerId> got_ready_;  // in this step, though they may have left again
};

}  // namespace holdfast::simulator
