#include "tests/simulator/coverage_rollouts.hpp"

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>

#include "tests/simulator/coverage_table.hpp"

namespace holdfast::simulator {

namespace {

constexpr auto kinds = std::to_array<std::string_view>({"restart", "rollback", "reload"});
constexpr auto stages =
    std::to_array<std::string_view>({"checking", "starting", "taking over", "probation", "retiring", "rolling back"});
enum Stage : std::size_t { checking, starting, taking_over, probation, retiring, rolling_back };
static_assert(kinds.size() == RolloutCoverage::kind_count && stages.size() == RolloutCoverage::stage_count);

// The event words of the history, and those of the log for what starts a rollback.
constexpr auto exits =
    std::to_array<std::string_view>({"prepared", "committed", "probation", "retired", "rollout_failed",
                                     "rollout_undone", "done", "failed", "undone", "mixed", "interrupted"});
enum Exit : std::size_t {
    is_prepared,
    commits,
    enters_probation,
    passes_probation,
    starts_rollback,
    starts_undo,
    is_done,
    fails,
    is_undone,
    is_mixed,
    is_interrupted
};
static_assert(exits.size() == RolloutCoverage::exit_count);

struct StageExit {
    std::size_t stage, exit;
    std::string_view name;
    std::optional<std::size_t> to{};
};

// The possible exits of each stage, except a stop, which is possible in every stage.
constexpr auto stage_exits = std::to_array<StageExit>({
    {checking, is_prepared, "prepared", starting},
    {checking, fails, "vetoed or timed out"},
    {checking, is_undone, "undone"},
    {starting, commits, "commit", taking_over},
    {starting, starts_rollback, "failure", rolling_back},
    {starting, starts_undo, "undo", rolling_back},
    {starting, is_done, "done, no old worker was left"},
    {taking_over, enters_probation, "probation", probation},
    {taking_over, starts_rollback, "failure", rolling_back},
    {taking_over, starts_undo, "undo", rolling_back},
    {taking_over, is_done, "done"},
    {probation, passes_probation, "passed", retiring},
    {probation, starts_rollback, "failure", rolling_back},
    {probation, starts_undo, "undo", rolling_back},
    {retiring, starts_undo, "undo", rolling_back},
    {retiring, is_done, "done"},
    {retiring, fails, "short of workers"},
    {rolling_back, fails, "failed, former generation serves"},
    {rolling_back, is_undone, "undone, former generation serves"},
    {rolling_back, is_mixed, "mixed"},
});

template <class Words>
std::optional<std::size_t> find(const Words& words, std::string_view word) {
    const auto* found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return std::nullopt;
    return static_cast<std::size_t>(found - words.begin());
}

std::optional<std::size_t> exit_of(const core::Record& record) {
    return record.worker.empty() ? find(exits, record.event) : std::nullopt;
}

// Whether this record can end a rollback.
bool ends_rollback(const core::Record& record) {
    const auto exit = exit_of(record);
    return exit == fails || exit == is_undone || exit == is_mixed;
}

const StageExit* find_stage_exit(std::size_t stage, std::size_t exit) {
    static constexpr StageExit stop{0, is_interrupted, "stop"};
    if (exit == is_interrupted) return &stop;
    const auto* found = std::find_if(stage_exits.begin(), stage_exits.end(),
                                     [&](const StageExit& it) { return it.stage == stage && it.exit == exit; });
    return found == stage_exits.end() ? nullptr : found;
}

}  // namespace

// A rollback may start and end in one step. Its start is a log line, and log lines follow the records of a step.
void RolloutCoverage::count(const std::vector<core::Action>& actions) {
    bool are_starts_counted = false;
    for (const core::Action& action : actions) {
        const auto* record = std::get_if<core::Record>(&action);
        if (record == nullptr) continue;
        if (ends_rollback(*record) && !are_starts_counted) {
            count_rollback_starts(actions);
            are_starts_counted = true;
        }
        count_record(*record);
    }
    if (!are_starts_counted) count_rollback_starts(actions);
}

void RolloutCoverage::count_record(const core::Record& record) {
    if (record.event == "started") {
        const auto kind = find(kinds, std::string_view(record.text).substr(0, record.text.find(' ')));
        current_ = kind ? std::optional(Position{*kind, checking}) : std::nullopt;
    } else if (const auto exit = exit_of(record)) {
        leave_stage(*exit);
    }
}

void RolloutCoverage::count_rollback_starts(const std::vector<core::Action>& actions) {
    for (const core::Action& action : actions) {
        const auto* note = std::get_if<core::Note>(&action);
        if (note == nullptr) continue;
        if (note->event == exits[starts_rollback]) leave_stage(starts_rollback);
        if (note->event == exits[starts_undo]) leave_stage(starts_undo);
    }
}

void RolloutCoverage::leave_stage(std::size_t exit) {
    if (!current_) return;
    // Before the first launch there is nothing to roll back: the end of the rollout follows at once.
    if (current_->stage == checking && exit == starts_undo) return;
    ++counts_.at(current_->kind).at(current_->stage).at(exit);
    const StageExit* stage_exit = find_stage_exit(current_->stage, exit);
    if (stage_exit == nullptr || !stage_exit->to) return current_.reset();
    current_->stage = *stage_exit->to;
}

int RolloutCoverage::print(std::ostream& out) const {
    out << "(rollout, stage: exit):\n";
    int wrong = 0;
    for (std::size_t kind = 0; kind < kind_count; ++kind)
        for (std::size_t stage = 0; stage < stage_count; ++stage)
            for (std::size_t exit = 0; exit < exit_count; ++exit) {
                const StageExit* stage_exit = find_stage_exit(stage, exit);
                const std::string_view exit_name = stage_exit != nullptr ? stage_exit->name : exits.at(exit);
                const std::string name =
                    std::string(kinds.at(kind)) + ", " + std::string(stages.at(stage)) + ": " + std::string(exit_name);
                wrong += print_line(out, name, counts_.at(kind).at(stage).at(exit),
                                    stage_exit != nullptr ? Expected::yes : Expected::no);
            }
    return wrong;
}

}  // namespace holdfast::simulator
