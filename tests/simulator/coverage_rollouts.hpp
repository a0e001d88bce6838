#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>

#include "core/action.hpp"

namespace holdfast::simulator {

// How each stage of each kind of rollout was left, forward and back.
class RolloutCoverage {
  public:
    static constexpr std::size_t kind_count = 3, stage_count = 6, exit_count = 11;

    // In the order of the actions: one step may pass several stages.
    void count(const core::Action& action);
    int print(std::ostream& out) const;

  private:
    struct Place {
        std::size_t kind = 0, stage = 0;
    };

    std::optional<Place> now_;
    std::array<std::array<std::array<std::uint64_t, exit_count>, stage_count>, kind_count> counts_{};
};

}  // namespace holdfast::simulator
