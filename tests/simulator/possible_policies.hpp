#pragma once

#include <vector>

#include "core/policy.hpp"

namespace holdfast::simulator {

// What may be in force at a moment: while a reload is under way its rules, or the former ones.
struct PossiblePolicies {
    // `target`: the most workers that the bounds have to hold for.
    PossiblePolicies(std::vector<core::Policy> policies, int target);

    std::vector<core::Policy> possible;
    core::Policy loose;  // each time the longest of them
    core::Policy tight;  // the shortest

    int most_surge(int target) const;
    int least_surge(int target) const;
    int most_unavailable(int target) const;
};

}  // namespace holdfast::simulator
