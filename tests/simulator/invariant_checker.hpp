#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulator/possible_policies.hpp"
#include "tests/support/fake_world.hpp"

namespace holdfast::simulator {

// The longest time to an answer, as a share of its bound. Shows how tight the bounds are.
struct LongestAnswers {
    std::array<double, 9> shares{};  // indexed by the kind of request
};

// Checks the invariants after each event and records violations in the world. Uses only observations: the snapshots
// before and after the event, the actions, and the real state of the workers.
class InvariantChecker {
  public:
    InvariantChecker(testing::FakeWorld& world, LongestAnswers& longest);

    void after_start();
    void after_event();
    // The time in which a service must have all its workers again after the last incident.
    Duration recovery_bound() const;

  private:
    // The observed state of a worker, and when it was first observed.
    struct Seen {
        WorkerId id;
        core::WorkerState state = core::WorkerState::starting;
        Instant since{};
        std::optional<Instant> first_ready{};
        bool has_settled = false;
        std::shared_ptr<const PossiblePolicies> policies{};  // when it entered its state
    };
    // The rollout in progress.
    struct Rollout {
        Generation generation;
        int target = 0;
        bool has_full_surge = false;  // all new workers fit beside the old ones
        bool is_healthy = false;      // no dependable worker was lost by a failure
        bool is_undisturbed = true;   // no request that affects workers has arrived
        bool is_new = true;           // it began in this step
        bool is_committed = false;    // an old worker was asked to pause or to leave
        bool has_passed = false;      // its probation has ended
        bool was_in_probation = false;
        Generation former;
    };
    // The state when a request was delivered.
    struct Asked {
        std::size_t index = 0;
        Generation newest;
        int target = 0;
        bool is_of_rollout = false;  // undo: it reverts a rollout to the generation `undone`
        Generation undone{};
        Instant delivered_at{};  // later than its due time if the supervisor was stalled
    };

    void report_violation(int invariant, const std::string& what);
    Seen& seen(const core::WorkerStatus& worker);
    void enter(Seen& entry, core::WorkerState state);
    const Seen* find_seen(WorkerId id) const;
    bool is_about(WorkerId id) const;
    bool has_failed_now(WorkerId id) const;
    void update_policies();
    void note_ready_workers();
    bool became_ready(WorkerId id) const;
    void forget_exited();

    // invariants_transitions.cpp: invariants 2 and 7 for each worker.
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

    // invariants_backoff.cpp: backoff and empty slots.
    bool has_crashed_now(const core::WorkerStatus& worker) const;
    bool is_launched_now(SlotId slot) const;
    bool has_lost_worker(SlotId slot) const;
    void check_backoff();
    void check_crash(const core::WorkerStatus& worker);
    void check_empty_slots();

    // invariants_rollout.cpp: invariants 3, 4 and 6.
    void check_counts();
    void update_rollout();
    void begin_rollout();
    void check_failure();
    bool is_dependable(const core::WorkerStatus& worker) const;
    void check_unavailable();
    void check_commit();

    // invariants_rollback.cpp: invariant 6, probation, undo and watchdog.
    bool is_former_worker(WorkerId id) const;
    bool can_pause(WorkerId id) const;
    void check_before_commit();
    void check_probation();
    void check_recalls();
    void check_undo_done(const testing::FakeRequest& ask, const Asked& asked);
    void check_watchdog();

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
    std::shared_ptr<const PossiblePolicies> policies_;       // in this step
    std::shared_ptr<const PossiblePolicies> next_policies_;  // from the next step on, if they differ
    std::vector<core::Policy> all_policies_;                 // all that were possible at any time
    struct Reload {
        PlanId plan;
        std::shared_ptr<const core::Policy> policy;
    };
    std::vector<Reload> reloads_;  // those whose plans are not settled
    core::Policy in_force_;
    core::Policy longest() const { return PossiblePolicies(all_policies_, highest_target_).loose; }
    std::vector<Seen> seen_;
    std::optional<Instant> stop_asked_at_;     // time of the first stop request
    std::optional<Instant> stopping_since_;    // also set without a stop request if the first generation failed
    std::optional<Instant> skip_accepted_at_;  // time of the last stop signal that may have had an effect
    std::optional<Instant> skip_received_at_;  // time of the last stop signal
    enum class Skip { none, allowed, demanded } skip_ = Skip::none;
    bool lame_duck_is_skipped_ = false;
    bool has_any_worker_notified_ = false;
    bool has_killed_in_stop_ = false;
    bool has_cut_off_in_stop_ = false;
    bool has_served_ = false;
    std::optional<Rollout> rollout_;
    std::optional<Instant> unserved_since_;
    int highest_target_ = 0;
    std::vector<Asked> asked_;
    std::vector<WorkerId> became_ready_;  // in this step; they may have left ready again
};

}  // namespace holdfast::simulator
