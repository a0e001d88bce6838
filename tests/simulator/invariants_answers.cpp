// Invariants 7 and 9 for requests: each is answered once, in time and correctly.

#include <algorithm>
#include <set>

#include "tests/simulator/bounds.hpp"
#include "tests/simulator/describe.hpp"
#include "tests/simulator/invariant_checker.hpp"

namespace holdfast::simulator {

using core::Outcome;
using core::WorkerState;
using testing::FakeRequest;

namespace {

Generation newest_of(const core::Status& status) {
    Generation newest = status.generation;
    for (const auto& worker : status.workers) newest = std::max(newest, worker.generation);
    return newest;
}

bool is_ready(const core::WorkerStatus& worker) { return worker.state == WorkerState::ready; }

bool is_note(const core::Action& action, std::string_view event) {
    const auto* note = std::get_if<core::Note>(&action);
    return note != nullptr && note->event == event;
}

bool asks_to_leave(const core::Action& action, WorkerId id) {
    if (const auto* signal = std::get_if<core::Signal>(&action)) return signal->worker == id;
    const auto* tell = std::get_if<core::Tell>(&action);
    return tell != nullptr && tell->worker == id && tell->command.stage != Stage::run;
}

}  // namespace

// The workers that served when request `at` was answered. If the next change began in the same step, these are the
// workers that were ready before the step or became ready in it, without those that were asked to leave before the
// answer.
std::vector<core::WorkerStatus> InvariantChecker::serving(RequestId at) const {
    const auto& actions = world_.last_actions();
    const bool is_next_begun = std::any_of(actions.begin(), actions.end(), [](const core::Action& action) {
        return is_note(action, "rollout_started") || is_note(action, "scale_started");
    });
    std::vector<core::WorkerStatus> serving;
    for (const auto& worker : world_.status().workers)
        if (is_ready(worker) || (is_next_begun && was_serving_at(at, worker))) serving.push_back(worker);
    return serving;
}

bool InvariantChecker::was_serving_at(RequestId at, const core::WorkerStatus& worker) const {
    for (const core::Action& action : world_.last_actions()) {
        const auto* answer = std::get_if<core::Answer>(&action);
        if (answer != nullptr && answer->request == at) break;
        if (asks_to_leave(action, worker.id)) return false;
    }
    if (became_ready(worker.id)) return true;
    const auto& before = world_.before().workers;
    return std::any_of(before.begin(), before.end(),
                       [&](const auto& other) { return other.id == worker.id && is_ready(other); });
}

void InvariantChecker::note_asked() {
    const auto* event = std::get_if<core::Asked>(&world_.last_event());
    if (event == nullptr || event->id.value == 0) return;
    const auto& requests = world_.requests();
    for (std::size_t i = requests.size(); i-- > 0;)
        if (requests[i].id == event->id) {
            Asked asked{i, newest_of(world_.before()), world_.before().target};
            asked.is_of_rollout = rollout_.has_value();
            if (rollout_) asked.undone = rollout_->generation;
            asked.delivered_at = world_.now();
            return asked_.push_back(asked);
        }
}

void InvariantChecker::check_answers() {
    std::erase_if(asked_, [&](const Asked& asked) {
        const FakeRequest& ask = world_.requests()[asked.index];
        if (!ask.outcome) return false;
        check_answer(ask, asked);
        return true;
    });
}

void InvariantChecker::check_answer(const FakeRequest& ask, const Asked& asked) {
    const double bound = static_cast<double>(answer_bound(longest(), ask.request, highest_target_).count());
    double& share = longest_.shares.at(ask.request.what.index());
    share = std::max(share, static_cast<double>((ask.answered_at - ask.due).count()) / bound);
    const bool is_done = ask.outcome->result == Outcome::Result::done;
    const auto& what = ask.request.what;
    if (ask.outcome->text.empty())
        report_violation(9, "an answer without text to " + std::string(name_of(ask.request)));
    if (is_done && std::holds_alternative<core::Restart>(what)) check_restart_done(ask, asked);
    if (ask.outcome->result == Outcome::Result::failed && std::holds_alternative<core::Restart>(what))
        check_restart_failed(ask);
    if (is_done && (std::holds_alternative<core::Scale>(what) || std::holds_alternative<core::ScaleBy>(what)))
        check_scale_done(ask);
    if (is_done && std::holds_alternative<core::Rollback>(what)) check_restart_done(ask, asked);
    if (is_done && std::holds_alternative<core::Undo>(what)) check_undo_done(ask, asked);
    if (std::holds_alternative<core::Stop>(what)) check_stop_done(ask);
    if (ask.outcome->result == Outcome::Result::interrupted && !stopping_since_)
        report_violation(9, std::string(name_of(ask.request)) + " was interrupted without a stop");
}

// Every slot has a settled worker of a generation newer than the request, and no older worker is left.
void InvariantChecker::check_restart_done(const FakeRequest& ask, const Asked& asked) {
    const auto workers = serving(ask.id);
    const int target = std::min(world_.status().target, world_.before().target);
    Generation newest;
    for (const auto& worker : workers) newest = std::max(newest, worker.generation);
    if (newest <= asked.newest && target > 0) report_violation(9, "restart done, but no newer generation serves");
    for (const auto& worker : world_.status().workers)
        if (worker.generation < newest) report_violation(9, "restart done, but an old worker is left");
    std::set<std::uint64_t> slots;
    for (const auto& worker : workers)
        if (worker.settled && worker.generation == newest) slots.insert(worker.slot.value);
    if (static_cast<int>(slots.size()) < target)
        report_violation(9, "restart done, but " + std::to_string(slots.size()) + " slots serve");
}

// The former generation serves in every slot; or, after the probation, the new generation serves alone with missing
// workers.
void InvariantChecker::check_restart_failed(const FakeRequest& ask) {
    std::set<std::uint64_t> slots;
    std::set<std::uint64_t> settled;
    std::set<std::uint64_t> generations;
    for (const auto& worker : serving(ask.id)) {
        slots.insert(worker.slot.value);
        if (worker.settled) settled.insert(worker.slot.value);
        generations.insert(worker.generation.value);
    }
    const int target = std::min(world_.status().target, world_.before().target);
    if (generations.size() > 1) report_violation(9, "restart failed, but two generations serve");
    if (ask.outcome->text.find("has taken over, but it is short of workers") != std::string::npos) {
        // The next change may have begun in this step.
        const int wanted = std::max(world_.status().target, world_.before().target);
        if (static_cast<int>(settled.size()) >= wanted)
            report_violation(9, "restart failed because of missing workers, but all serve");
        return;
    }
    if (static_cast<int>(slots.size()) < target)
        report_violation(9, "restart failed, but only " + std::to_string(slots.size()) + " slots serve");
}

void InvariantChecker::check_scale_done(const FakeRequest& ask) {
    const int ready = static_cast<int>(serving(ask.id).size());
    const auto* scale = std::get_if<core::Scale>(&ask.request.what);
    // The base of a ScaleBy is unknown if several changes happen in one step. Then the number in the answer counts.
    const std::string text = " to " + std::to_string(ready) + (ready == 1 ? " worker" : " workers");
    const bool is_as_answered = scale == nullptr && ask.outcome->text.find(text) != std::string::npos;
    const int target = scale != nullptr ? scale->target : world_.before().target;
    if (ready != target && !is_as_answered)
        report_violation(9,
                         "scale done, but " + std::to_string(ready) + " of " + std::to_string(target) + " are ready");
}

void InvariantChecker::check_stop_done(const FakeRequest& ask) {
    if (ask.outcome->result == Outcome::Result::undone) {
        if (world_.status().phase == core::Phase::stopping)
            report_violation(9, "a stop was undone, but the service is still stopping");
        return;
    }
    if (!world_.exit_code()) return report_violation(9, "stop was answered, but it has not finished");
    if (ask.outcome->exit_code != *world_.exit_code())
        report_violation(9, "stop was answered with another exit status");
}

void InvariantChecker::check_overdue() {
    if (asked_.empty() && !stop_asked_at_) return;
    const core::Policy policy = longest();
    for (const Asked& asked : asked_) {
        const FakeRequest& ask = world_.requests()[asked.index];
        const Duration bound = answer_bound(policy, ask.request, highest_target_) + world_.lateness();
        if (world_.now() > ask.due + bound)
            report_violation(
                7, std::string(name_of(ask.request)) + " asked for at " + seconds(ask.due) + " has no answer");
    }
    if (stop_asked_at_ && !world_.exit_code() &&
        world_.now() > *stop_asked_at_ + worker_exit_bound(policy) + world_.lateness())
        report_violation(7, "stop asked for at " + seconds(*stop_asked_at_) + " has not ended");
}

void InvariantChecker::check_exit_code() {
    if (!world_.exit_code()) return;
    const int code = *world_.exit_code();
    const bool is_without_stop = !stop_asked_at_ || *stop_asked_at_ > *stopping_since_;
    if (is_without_stop) {
        if (code != 1) report_violation(9, "finished without a stop with exit status " + std::to_string(code));
        if (has_served_) report_violation(9, "finished without a stop though it had served");
        return;
    }
    if (code == 0 && has_killed_in_stop_) report_violation(9, "exit status 0, but a worker was killed in the stop");
    if (code == 3 && !has_cut_off_in_stop_) report_violation(9, "exit status 3, but no worker was cut off");
}

}  // namespace holdfast::simulator
