#pragma once

#include "core/step_context.hpp"

namespace holdfast::core {

// The way back of a failed rollout: new workers that are not ready leave at once, those that serve as soon as former
// ones can be counted on in their place. Former workers that have released nothing are told to run again; slots whose
// former worker is gone are refilled from its launch spec.
void advance_rollback(StepContext& context);

// Its bound has passed: answered with what could not be brought back.
void expire_rollback(StepContext& context);

}  // namespace holdfast::core
