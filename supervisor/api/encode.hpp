#pragma once

#include <string>
#include <string_view>

#include "core/request.hpp"
#include "core/status.hpp"

namespace holdfast::api {

// What the API's answers look like in JSON. The manual names the keys; they are only ever added to.
std::string to_json(const core::Status& status);
std::string to_json(const core::Outcome& outcome);
// {"error": "…"}: the request was not understood, or not permitted.
std::string error_to_json(std::string_view text);

// The words of the JSON.
std::string_view to_word(core::Phase phase);
std::string_view to_word(core::Speaks speaks);
std::string_view to_word(core::Outcome::Result result);

// done 200; failed and mixed 500; superseded, interrupted and refused 409.
int http_status_of(core::Outcome::Result result);

}  // namespace holdfast::api
