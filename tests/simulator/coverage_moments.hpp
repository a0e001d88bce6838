#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>

#include "tests/support/fake_world.hpp"

namespace holdfast::simulator {

// Counts the events (requests, messages, exits, …) in each moment of a service: its phases, and the stages of a
// rollout.
class MomentCoverage {
  public:
    static constexpr std::size_t moment_count = 12, event_count = 17;

    void count(const testing::FakeWorld& world);
    int print(std::ostream& out) const;

  private:
    std::array<std::array<std::uint64_t, event_count>, moment_count> counts_{};
};

}  // namespace holdfast::simulator
