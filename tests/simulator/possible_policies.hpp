#pragma once

#include <vector>

#include "core/policy.hpp"

namespace holdfast::simulator {

// The policies that may be in effect at a moment: during a reload the new or the former one.
struct PossiblePolicies {
    // `target`: the largest number of workers for which the bounds must hold.
    PossiblePolicies(std::vector<core::Policy> policies, int target);

    std::vector<core::Policy> possible;
    core::Policy loose;  // the longest of each duration
    core::Policy tight;  // the shortest of each duration

    int most_surge(int target) const;
    int least_surge(int target) const;
    int most_unavailable(int target) const;
};

}  // namespace holdfast::simulator
