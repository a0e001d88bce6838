#include "core/worker_state.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace holdfast::core {
namespace {

// The spelling used in the table of the header.
std::string identifier(std::string_view words) {
    std::string name{words};
    for (char& c : name) c = c == ' ' ? '_' : c;
    return name;
}

std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    std::istringstream text(line.substr(line.find('|') + 1));
    std::string cell;
    while (std::getline(text, cell, '|')) {
        const auto first = cell.find_first_not_of(' ');
        cells.push_back(first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
    }
    return cells;
}

// Reads the table in the header: trigger → its cells, in the order of the states.
std::map<std::string, std::vector<std::string>> read_table() {
    std::ifstream header(HOLDFAST_SOURCE_DIR "/supervisor/core/worker_state.hpp");
    std::map<std::string, std::vector<std::string>> rows;
    for (std::string line; std::getline(header, line);) {
        if (!line.starts_with("// |")) continue;
        auto cells = cells_of(line);
        const std::string name = cells.front();
        cells.erase(cells.begin());
        rows[name] = cells;
    }
    return rows;
}

std::string expected_cell(WorkerState state, Trigger trigger) {
    if (const auto next = next_state(state, trigger)) return identifier(to_string(*next));
    return no_rules[static_cast<std::size_t>(state)].ignored.has(trigger) ? "." : "-";
}

struct Pair {
    WorkerState state;
    Trigger trigger;
};

std::vector<Pair> all_pairs() {
    std::vector<Pair> pairs;
    for (std::size_t s = 0; s < worker_state_count; ++s) {
        for (std::size_t t = 0; t < trigger_count; ++t) {
            pairs.push_back({static_cast<WorkerState>(s), static_cast<Trigger>(t)});
        }
    }
    return pairs;
}

class WorkerStateTable : public ::testing::TestWithParam<Pair> {};

TEST_P(WorkerStateTable, MatchesTheRules) {
    const auto table = read_table();
    const auto row = table.find(identifier(to_string(GetParam().trigger)));
    ASSERT_NE(row, table.end());
    const auto column = static_cast<std::size_t>(GetParam().state);
    ASSERT_GT(row->second.size(), column);
    EXPECT_EQ(row->second[column], expected_cell(GetParam().state, GetParam().trigger));
}

INSTANTIATE_TEST_SUITE_P(EachPair, WorkerStateTable, ::testing::ValuesIn(all_pairs()), [](const auto& each) {
    return identifier(to_string(each.param.state)) + "_" + identifier(to_string(each.param.trigger));
});

TEST(WorkerState, ReachesKilledOnlyFromCancelling) {
    for (const Rule& rule : rules) {
        if (rule.to == WorkerState::killed) {
            EXPECT_EQ(rule.from, WorkerState::cancelling);
            EXPECT_TRUE(rule.trigger == Trigger::deadline_passed || rule.trigger == Trigger::skipped);
        }
    }
}

TEST(WorkerState, GoesBackOnlyWithTookBack) {
    for (const Rule& rule : rules) {
        if (rule.to >= rule.from) continue;
        EXPECT_EQ(rule.trigger, Trigger::took_back) << to_string(rule.from);
    }
}

// Invariant 7: deadlines alone take a worker from any state except ready to gone.
TEST(WorkerState, ReachesGoneByDeadlinesAlone) {
    for (const auto from : {WorkerState::starting, WorkerState::paused, WorkerState::lame_duck, WorkerState::draining,
                            WorkerState::cancelling, WorkerState::killed}) {
        WorkerState state = from;
        for (std::size_t step = 0; step < worker_state_count && state != WorkerState::gone; ++step) {
            const auto next = next_state(state, Trigger::deadline_passed);
            ASSERT_TRUE(next) << to_string(state);
            state = *next;
        }
        EXPECT_EQ(state, WorkerState::gone) << to_string(from);
    }
}

}  // namespace
}  // namespace holdfast::core
