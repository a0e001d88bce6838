#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <vector>

#include "core/action.hpp"

namespace holdfast::simulator {

// Counts the exits from each stage of each kind of rollout, in both directions.
class RolloutCoverage {
  public:
    static constexpr std::size_t kind_count = 3, stage_count = 6, exit_count = 11;

    // Must be called with the actions of every step: a step may pass several stages.
    void count(const std::vector<core::Action>& actions);
    int print(std::ostream& out) const;

  private:
    struct Position {
        std::size_t kind = 0, stage = 0;
    };

    void count_record(const core::Record& record);
    void count_rollback_starts(const std::vector<core::Action>& actions);
    void leave_stage(std::size_t exit);

    std::optional<Position> current_;
    std::array<std::array<std::array<std::uint64_t, exit_count>, stage_count>, kind_count> counts_{};
};

}  // namespace holdfast::simulator
