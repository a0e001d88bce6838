#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace holdfast {

// The environment variables by which an operator configures the SDK in a worker (holdfast-sdk(3)). All other HOLDFAST_
// variables are set by the supervisor only.
inline constexpr std::array<std::string_view, 7> sdk_variables{
    "HOLDFAST_LAME_DUCK", "HOLDFAST_GRACE_PERIOD", "HOLDFAST_CANCEL_PERIOD", "HOLDFAST_KEEP_ALIVE_MIN",
    "HOLDFAST_HEALTH",    "HOLDFAST_LIBRARY",      "HOLDFAST_NODE_ADDON"};

inline bool is_sdk_variable(std::string_view name) {
    return std::ranges::find(sdk_variables, name) != sdk_variables.end();
}

}  // namespace holdfast
