#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/request.hpp"

namespace holdfast::api {

// Validation of the JSON body of a change. Errors are returned as a sentence for the client.

// For a change without parameters: the error if the body is neither empty nor {}.
std::optional<std::string> refuse_members(std::string_view body);

// {"workers": 4}
std::variant<core::Scale, std::string> read_scale(std::string_view body);

}  // namespace holdfast::api
