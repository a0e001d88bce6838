#include "tests/simulator/bounds.hpp"

#include <algorithm>
#include <variant>

#include "core/bounds.hpp"

namespace holdfast::simulator {

Duration worker_exit_bound(const core::Policy& policy) {
    return policy.lame_duck + policy.grace_period + policy.cancel_period + policy.max_extension +
           core::unkillable_after;
}

Duration worker_start_bound(const core::Policy& policy) {
    return policy.ready_timeout + policy.max_extension + policy.settle;
}

Duration rollout_bound(const core::Policy& policy, int target) {
    const Duration step = worker_start_bound(policy) + worker_exit_bound(policy);
    const Duration forward = core::prepare_bound(policy) + target * step + policy.probation + worker_exit_bound(policy);
    return forward + return_bound(policy, target);
}

Duration return_bound(const core::Policy& policy, int target) {
    return policy.grace_period + policy.max_extension +
           target * (worker_start_bound(policy) + worker_exit_bound(policy)) + worker_exit_bound(policy);
}

Duration scale_bound(const core::Policy& policy) { return worker_start_bound(policy) + worker_exit_bound(policy); }

Duration answer_bound(const core::Policy& policy, const core::Request& request, int target) {
    if (std::holds_alternative<core::Stop>(request.what)) return worker_exit_bound(policy);
    if (std::holds_alternative<core::Undo>(request.what)) {
        const Duration published = std::max(core::rollback_bound(policy, target), core::undo_bound(policy));
        return std::min(std::max(return_bound(policy, target), simulator::scale_bound(policy)), published);
    }
    // A reload may be followed by a scale.
    const Duration own = 2 * simulator::rollout_bound(policy, target) + 3 * simulator::scale_bound(policy);
    return std::min(own, core::request_bound(policy, target));
}

}  // namespace holdfast::simulator
