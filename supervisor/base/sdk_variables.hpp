#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace holdfast {

// What an operator says to the SDK of a worker (holdfast-sdk(3)). Every other HOLDFAST_ variable is the supervisor's
// own word to a worker, and nobody else's.
inline constexpr std::array<std::string_view, 7> sdk_variables{
    "HOLDFAST_LAME_DUCK", "HOLDFAST_GRACE_PERIOD", "HOLDFAST_CANCEL_PERIOD", "HOLDFAST_KEEP_ALIVE_MIN",
    "HOLDFAST_HEALTH",    "HOLDFAST_LIBRARY",      "HOLDFAST_NODE_ADDON"};

inline bool is_sdk_variable(std::string_view name) {
    return std::ranges::find(sdk_variables, name) != sdk_variables.end();
}

}  // namespace holdfast
