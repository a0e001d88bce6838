#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <string_view>
#include <variant>
#include <vector>

#include "core/worker_state.hpp"
#include "tests/simulator/coverage_moments.hpp"
#include "tests/simulator/coverage_rollouts.hpp"
#include "tests/support/fake_world.hpp"

namespace holdfast::simulator {

// Counts what the schedules have reached. Shows the parts of the core that the schedules do not exercise.
class Coverage {
  public:
    void count(const testing::FakeWorld& world);
    void count_triggers(const core::TransitionCounts& counts);

    // Prints the tables. Returns the number of wrong counts: possible entries that are zero, or impossible ones that
    // are not.
    int print(std::ostream& out) const;

  private:
    using Count = std::uint64_t;
    struct Word {
        std::string_view word;
        Count count = 0;
    };

    void count_action(const core::Action& action);
    int print_triggers(std::ostream& out) const;
    int print_actions(std::ostream& out) const;
    int print_notes(std::ostream& out) const;
    int print_outcomes(std::ostream& out) const;

    core::TransitionCounts triggers_{};
    std::array<Count, std::variant_size_v<core::Action>> actions_{};
    std::array<Count, 5> stages_{};                   // Tell
    std::array<Count, 3> targets_{};                  // Signal
    std::array<Count, 2> admission_{};                // SetAdmission
    std::array<Count, 4> exit_codes_{};               // Finish
    std::vector<Word> notes_;                         // Note
    std::array<std::array<Count, 7>, 9> outcomes_{};  // request by result
    MomentCoverage moments_;
    RolloutCoverage rollouts_;
};

}  // namespace holdfast::simulator
