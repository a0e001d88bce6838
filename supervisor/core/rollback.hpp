#pragma once

#include "core/turn.hpp"

namespace holdfast::core {

// The way back of a failed rollout: new workers that are not ready leave at once, those that serve as soon as former
// ones can be counted on in their place. Former workers that have released nothing are told to run again; slots whose
// former worker is gone are refilled from its launch spec.
void advance_rollback(Turn& turn);

// Its bound has passed: answered with what could not be brought back.
void give_up_rollback(Turn& turn);

}  // namespace holdfast::core
