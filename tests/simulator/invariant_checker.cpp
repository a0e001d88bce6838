#include "tests/simulator/invariant_checker.hpp"

#include <algorithm>
#include <utility>

#include "tests/simulator/bounds.hpp"
#include "tests/simulator/describe.hpp"

namespace holdfast::simulator {

using core::WorkerState;

InvariantChecker::InvariantChecker(testing::FakeWorld& world, LongestAnswers& longest)
    : world_(world),
      longest_(longest),
      policies_(std::make_shared<PossiblePolicies>(std::vector{world.policy()}, world.policy().workers)),
      all_policies_{world.policy()},
      in_force_(world.policy()),
      unserved_since_(world.now()) {}

Duration InvariantChecker::recovery_bound() const {
    const core::Policy policy = longest();
    return answer_bound(policy, {core::Restart{}, ""}, highest_target_ + 4) + policy.max_pause +
           policy.backoff_max * 5 / 4 + worker_start_bound(policy) + worker_exit_bound(policy);
}

// The policy of a reload takes effect when the reload begins, at an unknown time before its plan is adopted. If the
// plan is dropped, the former policy is restored.
void InvariantChecker::update_policies() {
    const std::size_t before = reloads_.size();
    for (const Reload& reload : reloads_)
        if (world_.specs().is_adopted(reload.plan)) in_force_ = *reload.policy;
    std::erase_if(reloads_, [&](const Reload& reload) { return world_.specs().is_settled(reload.plan); });
    const auto* asked = std::get_if<core::Asked>(&world_.last_event());
    const auto* asked_reload = asked == nullptr ? nullptr : std::get_if<core::Reload>(&asked->request.what);
    if (asked_reload != nullptr) {
        all_policies_.push_back(*asked_reload->policy);
        if (world_.specs().is_adopted(asked_reload->plan)) in_force_ = *asked_reload->policy;
    }
    const bool is_open = asked_reload != nullptr && !world_.specs().is_settled(asked_reload->plan);
    if (is_open) reloads_.push_back({asked_reload->plan, asked_reload->policy});
    if (asked_reload == nullptr && before == reloads_.size()) return;
    std::vector<core::Policy> possible{in_force_};
    for (const Reload& reload : reloads_) possible.push_back(*reload.policy);
    // In this step both policies may have been in effect.
    next_policies_ = std::make_shared<PossiblePolicies>(possible, highest_target_);
    for (const core::Policy& policy : policies_->possible) possible.push_back(policy);
    policies_ = std::make_shared<PossiblePolicies>(possible, highest_target_);
}

void InvariantChecker::report_violation(int invariant, const std::string& what) {
    world_.violated("invariant " + std::to_string(invariant) + ": " + what);
}

void InvariantChecker::after_start() {
    highest_target_ = world_.status().target;
    check_workers();
    check_counts();
}

void InvariantChecker::after_event() {
    const auto* said = std::get_if<core::Said>(&world_.last_event());
    if (said != nullptr && find_seen(said->worker) != nullptr && (said->report.hello || said->report.ready))
        has_any_worker_notified_ = true;
    highest_target_ = std::max(highest_target_, world_.status().target);
    if (world_.status().phase == core::Phase::serving) has_served_ = true;
    update_policies();
    note_ready_workers();
    note_stop();
    note_asked();
    update_rollout();
    check_before_commit();
    check_probation();
    check_recalls();
    check_watchdog();
    check_backoff();
    check_empty_slots();
    check_workers();
    check_group_signal();
    check_counts();
    check_admission();
    check_answers();
    check_overdue();
    check_exit_code();
    forget_exited();
    if (next_policies_) policies_ = std::exchange(next_policies_, nullptr);
}

const InvariantChecker::Seen* InvariantChecker::find_seen(WorkerId id) const {
    const auto found = std::find_if(seen_.begin(), seen_.end(), [&](const Seen& entry) { return entry.id == id; });
    return found == seen_.end() ? nullptr : &*found;
}

InvariantChecker::Seen& InvariantChecker::seen(const core::WorkerStatus& worker) {
    const auto found =
        std::find_if(seen_.begin(), seen_.end(), [&](const Seen& entry) { return entry.id == worker.id; });
    if (found != seen_.end()) return *found;
    return seen_.emplace_back(
        Seen{.id = worker.id, .state = worker.state, .since = world_.now(), .policies = policies_});
}

// Searches the actions once per step: became_ready() is called for every worker.
void InvariantChecker::note_ready_workers() {
    became_ready_.clear();
    for (const core::Action& action : world_.last_actions()) {
        const auto* note = std::get_if<core::Note>(&action);
        if (note == nullptr || !note->worker) continue;
        if (note->event == "worker_ready" || note->event == "worker_recalled") became_ready_.push_back(*note->worker);
    }
}

bool InvariantChecker::became_ready(WorkerId id) const {
    return std::find(became_ready_.begin(), became_ready_.end(), id) != became_ready_.end();
}

void InvariantChecker::enter(Seen& entry, WorkerState state) {
    entry.state = state;
    entry.since = world_.now();
    entry.policies = policies_;
    if (state == WorkerState::ready && !entry.first_ready) entry.first_ready = world_.now();
}

void InvariantChecker::forget_exited() {
    const auto& workers = world_.status().workers;
    std::erase_if(seen_, [&](const Seen& entry) {
        return std::none_of(workers.begin(), workers.end(), [&](const auto& worker) { return worker.id == entry.id; });
    });
}

// Whether the core has failed the worker in this step (watchdog, probes, ready timeout), or it has crashed.
bool InvariantChecker::has_failed_now(WorkerId id) const {
    const auto& actions = world_.last_actions();
    return std::any_of(actions.begin(), actions.end(), [&](const core::Action& action) {
        const auto* note = std::get_if<core::Note>(&action);
        return note != nullptr && note->worker == id && note->event == "worker_crashed";
    });
}

bool InvariantChecker::is_about(WorkerId id) const {
    return std::visit(
        [&](const auto& event) {
            if constexpr (requires { event.worker; }) return event.worker == id;
            return false;
        },
        world_.last_event());
}

}  // namespace holdfast::simulator
