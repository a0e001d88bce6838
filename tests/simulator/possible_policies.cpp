#include "tests/simulator/possible_policies.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::simulator {

namespace {

constexpr auto times = std::to_array<Duration core::Policy::*>(
    {&core::Policy::ready_timeout, &core::Policy::settle, &core::Policy::probation, &core::Policy::lame_duck,
     &core::Policy::grace_period, &core::Policy::cancel_period, &core::Policy::max_extension, &core::Policy::max_pause,
     &core::Policy::backoff_max, &core::Policy::queue_for});

int unavailable_of(const core::Policy& policy, int target) {
    const int share = policy.max_unavailable.of(target);
    return policy.max_surge.of(target) == 0 ? std::max(share, 1) : share;
}

}  // namespace

PossiblePolicies::PossiblePolicies(std::vector<core::Policy> policies, int target)
    : possible(std::move(policies)), loose(possible.front()), tight(possible.front()) {
    for (const core::Policy& policy : possible) {
        for (const auto time : times) {
            loose.*time = std::max(loose.*time, policy.*time);
            tight.*time = std::min(tight.*time, policy.*time);
        }
        loose.workers = std::max(loose.workers, policy.workers);
        // For the bounds: the smallest surge needs the most steps.
        if (policy.max_surge.of(target) < loose.max_surge.of(target)) loose.max_surge = policy.max_surge;
    }
}

int PossiblePolicies::most_surge(int target) const {
    int most = 0;
    for (const core::Policy& policy : possible) most = std::max(most, policy.max_surge.of(target));
    return most;
}

int PossiblePolicies::least_surge(int target) const {
    int least = possible.front().max_surge.of(target);
    for (const core::Policy& policy : possible) least = std::min(least, policy.max_surge.of(target));
    return least;
}

int PossiblePolicies::most_unavailable(int target) const {
    int most = 0;
    for (const core::Policy& policy : possible) most = std::max(most, unavailable_of(policy, target));
    return most;
}

}  // namespace holdfast::simulator
