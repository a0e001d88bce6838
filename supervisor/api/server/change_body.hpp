#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/request.hpp"

namespace holdfast::api {

// The JSON that comes with a change. What is wrong with it is a sentence.

// For a change that takes nothing: no body, or {}.
std::optional<std::string> refuse_members(std::string_view body);

// {"workers": 4}
std::variant<core::Scale, std::string> read_scale(std::string_view body);

}  // namespace holdfast::api
