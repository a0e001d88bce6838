#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>

#include "tests/support/fake_world.hpp"

namespace holdfast::simulator {

// How often each request, and whatever else can come, was met in each moment of a service's life: the phases, and the
// stages of a rollout one by one.
class MomentCoverage {
  public:
    static constexpr std::size_t moment_count = 12, event_count = 17;

    void count(const testing::FakeWorld& world);
    int print(std::ostream& out) const;

  private:
    std::array<std::array<std::uint64_t, event_count>, moment_count> counts_{};
};

}  // namespace holdfast::simulator
