#include "tests/simulator/coverage.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <string>

#include "tests/simulator/coverage_table.hpp"
#include "tests/simulator/describe.hpp"

namespace holdfast::simulator {

namespace {

// The event words of the log, in the order of their occurrence.
constexpr auto note_words = std::to_array<std::string_view>({"worker_launching",
                                                             "worker_spawned",
                                                             "spawn_failed",
                                                             "worker_ready",
                                                             "worker_settled",
                                                             "ready_by_time",
                                                             "worker_told",
                                                             "worker_signalled",
                                                             "worker_extended",
                                                             "worker_recalled",
                                                             "worker_main_exited",
                                                             "worker_killed",
                                                             "worker_held",
                                                             "worker_unkillable",
                                                             "worker_gone",
                                                             "worker_crashed",
                                                             "backoff",
                                                             "rollout_started",
                                                             "rollout_committed",
                                                             "rollout_failed",
                                                             "rollout_done",
                                                             "scale_started",
                                                             "scale_done",
                                                             "service_ready",
                                                             "stop_started",
                                                             "stop_skipped",
                                                             "stop_ignored",
                                                             "doors_closed",
                                                             "doors_opened",
                                                             "request_refused",
                                                             "request_superseded",
                                                             "claim_unknown",
                                                             "listener_not_claimed",
                                                             "probation_started",
                                                             "probation_passed",
                                                             "worker_not_paused",
                                                             "crash_loop",
                                                             "crash_loop_over",
                                                             "reload_done",
                                                             "stop_undone",
                                                             "rollout_undone",
                                                             "service_paused",
                                                             "service_resumed",
                                                             "request_coalesced",
                                                             "not_watched",
                                                             "finished"});

constexpr auto action_names = std::to_array<std::string_view>({"Prepare",
                                                               "AbandonPreparation",
                                                               "ServeWith",
                                                               "AdoptPlan",
                                                               "DropPlan",
                                                               "Probe",
                                                               "CheckListenerClaim",
                                                               "CheckBacklogs",
                                                               "Record",
                                                               "Spawn",
                                                               "Tell",
                                                               "Signal",
                                                               "Kill",
                                                               "Forget",
                                                               "ForgetSpec",
                                                               "SetAdmission",
                                                               "SetRemovedListenerAdmission",
                                                               "Answer",
                                                               "Note",
                                                               "ManagerReady",
                                                               "ManagerStopping",
                                                               "ManagerExtend",
                                                               "ManagerStatus",
                                                               "Finish"});
static_assert(action_names.size() == std::variant_size_v<core::Action>);

constexpr auto request_names = std::to_array<std::string_view>(
    {"restart", "stop", "scale", "scale by", "pause", "resume", "rollback", "undo", "reload"});
constexpr auto result_names =
    std::to_array<std::string_view>({"done", "failed", "mixed", "superseded", "interrupted", "undone", "refused"});

// The possible outcomes of each request, in the order of core::Request and core::Outcome::Result.
constexpr auto expected_outcomes = std::to_array<std::array<bool, 7>>({
    // done, failed, mixed, superseded, interrupted, undone, refused
    {true, true, true, true, true, true, true},       // restart
    {true, false, false, false, false, true, false},  // stop
    {true, true, false, true, true, true, true},      // scale
    {true, true, false, true, true, true, true},      // scale by
    {true, false, false, false, false, false, true},  // pause
    {true, false, false, false, false, false, true},  // resume
    {true, true, true, true, true, true, true},       // rollback
    {true, true, true, false, true, false, true},     // undo
    {true, true, true, true, true, true, true},       // reload
});

}  // namespace

int print_line(std::ostream& out, const std::string& name, std::uint64_t count, Expected expected) {
    if (expected == Expected::no && count == 0) return 0;
    const char* fault = count == 0 ? "   never reached" : expected == Expected::no ? "   impossible" : "";
    out << "  " << std::left << std::setw(60) << name << std::right << std::setw(12) << count << fault << '\n';
    return *fault == '\0' ? 0 : 1;
}

void Coverage::count(const testing::FakeWorld& world) {
    moments_.count(world);
    rollouts_.count(world.last_actions());
    for (const core::Action& action : world.last_actions()) {
        ++actions_.at(action.index());
        count_action(action);
        const auto* answer = std::get_if<core::Answer>(&action);
        if (answer == nullptr) continue;
        for (const testing::FakeRequest& ask : world.requests())
            if (ask.id == answer->request && ask.was_asked)
                ++outcomes_.at(ask.request.what.index()).at(static_cast<std::size_t>(answer->outcome.result));
    }
}

void Coverage::count_action(const core::Action& action) {
    if (const auto* tell = std::get_if<core::Tell>(&action))
        ++stages_.at(static_cast<std::size_t>(tell->command.stage));
    if (const auto* signal = std::get_if<core::Signal>(&action))
        ++targets_.at(static_cast<std::size_t>(signal->target));
    if (const auto* set = std::get_if<core::SetAdmission>(&action))
        ++admission_.at(static_cast<std::size_t>(set->admission));
    if (const auto* finish = std::get_if<core::Finish>(&action))
        ++exit_codes_.at(static_cast<std::size_t>(finish->exit_code));
    const auto* note = std::get_if<core::Note>(&action);
    if (note == nullptr) return;
    const auto is_it = [&](const Word& word) {
        return word.word.data() == note->event.data() || word.word == note->event;
    };
    const auto found = std::find_if(notes_.begin(), notes_.end(), is_it);
    if (found != notes_.end()) {
        ++found->count;
    } else {
        notes_.push_back({note->event, 1});
    }
}

void Coverage::count_triggers(const core::TransitionCounts& counts) {
    for (std::size_t state = 0; state < core::worker_state_count; ++state)
        for (std::size_t trigger = 0; trigger < core::trigger_count; ++trigger)
            triggers_[state][trigger] += counts[state][trigger];
}

int Coverage::print(std::ostream& out) const {
    return print_triggers(out) + moments_.print(out) + rollouts_.print(out) + print_actions(out) + print_notes(out) +
           print_outcomes(out);
}

int Coverage::print_triggers(std::ostream& out) const {
    out << "(state, trigger):\n";
    int wrong = 0;
    for (std::size_t s = 0; s < core::worker_state_count; ++s) {
        for (std::size_t t = 0; t < core::trigger_count; ++t) {
            const auto trigger = static_cast<core::Trigger>(t);
            const bool is_impossible = core::no_rules[s].impossible.has(trigger);
            const auto state = static_cast<core::WorkerState>(s);
            const std::string name = std::string(core::to_string(state)) + ", " + std::string(core::to_string(trigger));
            wrong += print_line(out, name, triggers_[s][t], is_impossible ? Expected::no : Expected::yes);
        }
    }
    return wrong;
}

int Coverage::print_actions(std::ostream& out) const {
    out << "actions:\n";
    int wrong = 0;
    for (std::size_t i = 0; i < actions_.size(); ++i)
        wrong += print_line(out, std::string(action_names.at(i)), actions_.at(i), Expected::yes);
    for (std::size_t i = 0; i < stages_.size(); ++i)
        wrong += print_line(out, "Tell " + std::string(name_of(static_cast<Stage>(i))), stages_.at(i), Expected::yes);
    wrong += print_line(out, "Signal main", targets_.at(0), Expected::yes);
    wrong += print_line(out, "Signal group", targets_.at(1), Expected::yes);
    wrong += print_line(out, "Signal strays", targets_.at(2), Expected::yes);
    wrong += print_line(out, "SetAdmission accept", admission_.at(0), Expected::yes);
    wrong += print_line(out, "SetAdmission refuse", admission_.at(1), Expected::yes);
    for (std::size_t code = 0; code < exit_codes_.size(); ++code)
        wrong += print_line(out, "Finish " + std::to_string(code), exit_codes_.at(code),
                            code == 2 ? Expected::no : Expected::yes);
    return wrong;
}

int Coverage::print_notes(std::ostream& out) const {
    out << "notes:\n";
    int wrong = 0;
    for (const std::string_view word : note_words) {
        const auto found = std::find_if(notes_.begin(), notes_.end(), [&](const Word& it) { return it.word == word; });
        wrong += print_line(out, std::string(word), found == notes_.end() ? 0 : found->count, Expected::yes);
    }
    for (const Word& word : notes_)
        if (std::find(note_words.begin(), note_words.end(), word.word) == note_words.end())
            wrong += print_line(out, std::string(word.word), word.count, Expected::no);
    return wrong;
}

int Coverage::print_outcomes(std::ostream& out) const {
    out << "outcomes:\n";
    int wrong = 0;
    for (std::size_t request = 0; request < outcomes_.size(); ++request) {
        for (std::size_t result = 0; result < outcomes_.at(request).size(); ++result) {
            const std::string name =
                std::string(request_names.at(request)) + " " + std::string(result_names.at(result));
            const bool can_be = expected_outcomes.at(request).at(result);
            wrong += print_line(out, name, outcomes_.at(request).at(result), can_be ? Expected::yes : Expected::no);
        }
    }
    return wrong;
}

}  // namespace holdfast::simulator
