#pragma once

#include <optional>

#include "core/state.hpp"
#include "core/status.hpp"

namespace holdfast::core {

// The change that is under way, for people and tools.
std::optional<ChangeStatus> show_change(const State& state);

}  // namespace holdfast::core
