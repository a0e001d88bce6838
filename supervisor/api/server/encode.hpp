#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/request.hpp"
#include "core/status.hpp"

namespace holdfast::api {

// What the API's answers look like in JSON. The manual names the keys; they are only ever added to.
std::string to_json(const core::Status& status);
std::string to_json(const core::Outcome& outcome);
std::string to_json(const std::vector<core::LastOutput>& outputs);
// An array of what is JSON already.
std::string objects_to_json(std::span<const std::string> objects);
// {"text": "…"}
std::string text_to_json(std::string_view text);
// {"error": "…"}: the request was not understood, or not permitted.
std::string error_to_json(std::string_view text);

// The words of the JSON.
std::string_view to_word(core::Phase phase);
std::string_view to_word(core::Speaks speaks);
std::string_view to_word(core::WorkerStatus::Recall recall);
std::string_view to_word(core::Outcome::Result result);

// done 200; failed and mixed 500; superseded, interrupted, undone and refused 409.
int http_status_of(core::Outcome::Result result);

}  // namespace holdfast::api
