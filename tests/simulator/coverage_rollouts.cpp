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

// The words of the ledger, and of the log for what turns a rollout back.
constexpr auto exits =
    std::to_array<std::string_view>({"prepared", "committed", "probation", "retired", "rollout_failed",
                                     "rollout_undone", "done", "failed", "undone", "mixed", "interrupted"});
enum Exit : std::size_t {
    is_prepared,
    commits,
    enters_probation,
    passes,
    turns_back,
    is_taken_back,
    is_done,
    fails,
    is_undone,
    is_mixed,
    is_interrupted
};
static_assert(exits.size() == RolloutCoverage::exit_count);

struct Way {
    std::size_t stage, exit;
    std::string_view words;
    std::optional<std::size_t> to{};
};

// Every way out of a stage, but for a stop: that leads out of each.
constexpr auto ways = std::to_array<Way>({
    {checking, is_prepared, "it is prepared", starting},
    {checking, fails, "it is vetoed, or takes too long"},
    {checking, is_undone, "it is undone"},
    {starting, commits, "the commit", taking_over},
    {starting, turns_back, "a failure", rolling_back},
    {starting, is_taken_back, "an undo", rolling_back},
    {starting, is_done, "it is done: nobody old was left"},
    {taking_over, enters_probation, "probation", probation},
    {taking_over, turns_back, "a failure", rolling_back},
    {taking_over, is_taken_back, "an undo", rolling_back},
    {taking_over, is_done, "it is done"},
    {probation, passes, "it has passed", retiring},
    {probation, turns_back, "a failure", rolling_back},
    {probation, is_taken_back, "an undo", rolling_back},
    {retiring, is_taken_back, "an undo", rolling_back},
    {retiring, is_done, "it is done"},
    {retiring, fails, "it is short of workers"},
    {rolling_back, fails, "the former one serves after a failure"},
    {rolling_back, is_undone, "the former one serves after an undo"},
    {rolling_back, is_mixed, "it ends mixed"},
});

template <class Words>
std::optional<std::size_t> find(const Words& words, std::string_view word) {
    const auto* found = std::find(words.begin(), words.end(), word);
    if (found == words.end()) return std::nullopt;
    return static_cast<std::size_t>(found - words.begin());
}

std::optional<std::size_t> exit_of(const core::Action& action) {
    if (const auto* record = std::get_if<core::Record>(&action))
        return record->worker.empty() ? find(exits, record->event) : std::nullopt;
    const auto* note = std::get_if<core::Note>(&action);
    const bool turns = note != nullptr && (note->event == exits[turns_back] || note->event == exits[is_taken_back]);
    return turns ? find(exits, note->event) : std::nullopt;
}

const Way* find_way(std::size_t stage, std::size_t exit) {
    static constexpr Way stop{0, is_interrupted, "a stop"};
    if (exit == is_interrupted) return &stop;
    const auto* found =
        std::find_if(ways.begin(), ways.end(), [&](const Way& it) { return it.stage == stage && it.exit == exit; });
    return found == ways.end() ? nullptr : found;
}

}  // namespace

void RolloutCoverage::count(const core::Action& action) {
    const auto* record = std::get_if<core::Record>(&action);
    if (record != nullptr && record->event == "started") {
        const auto kind = find(kinds, std::string_view(record->text).substr(0, record->text.find(' ')));
        now_ = kind ? std::optional(Place{*kind, checking}) : std::nullopt;
        return;
    }
    const auto exit = exit_of(action);
    if (!now_ || !exit) return;
    // Before anything is launched there is nothing to take back: the end follows at once.
    if (now_->stage == checking && *exit == is_taken_back) return;
    ++counts_.at(now_->kind).at(now_->stage).at(*exit);
    const Way* way = find_way(now_->stage, *exit);
    if (way == nullptr || !way->to) return now_.reset();
    now_->stage = *way->to;
}

int RolloutCoverage::print(std::ostream& out) const {
    out << "(rollout, stage: what ends it):\n";
    int wrong = 0;
    for (std::size_t kind = 0; kind < kind_count; ++kind)
        for (std::size_t stage = 0; stage < stage_count; ++stage)
            for (std::size_t exit = 0; exit < exit_count; ++exit) {
                const Way* way = find_way(stage, exit);
                const std::string_view words = way != nullptr ? way->words : exits.at(exit);
                const std::string name =
                    std::string(kinds.at(kind)) + ", " + std::string(stages.at(stage)) + ": " + std::string(words);
                wrong += print_line(out, name, counts_.at(kind).at(stage).at(exit),
                                    way != nullptr ? Expected::yes : Expected::no);
            }
    return wrong;
}

}  // namespace holdfast::simulator
