#pragma once

#include <optional>

#include "core/state.hpp"
#include "core/status.hpp"

namespace holdfast::core {

// Describes the change in progress, for people and tools; nullopt if there is none.
std::optional<ChangeStatus> show_change(const State& state);

}  // namespace holdfast::core
