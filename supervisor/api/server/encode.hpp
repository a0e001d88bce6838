#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/request.hpp"
#include "core/status.hpp"

namespace holdfast::api {

// JSON encoding of the API's responses. The manual documents the keys; new keys may be added, none is removed.
std::string to_json(const core::Status& status);
std::string to_json(const core::Outcome& outcome);
std::string to_json(const std::vector<core::LastOutput>& outputs);
// An array of objects that are JSON text already.
std::string objects_to_json(std::span<const std::string> objects);
// {"text": "…"}
std::string text_to_json(std::string_view text);
// {"error": "…"}: the request was not understood, not permitted or not accepted.
std::string error_to_json(std::string_view text);

// Enumerators as they are spelled in the JSON.
std::string_view to_word(core::Phase phase);
std::string_view to_word(core::Speaks speaks);
std::string_view to_word(core::WorkerStatus::Recall recall);
std::string_view to_word(core::Outcome::Result result);

// 200 for done; 500 for failed and mixed; 409 for superseded, interrupted, undone and refused.
int http_status_of(core::Outcome::Result result);

}  // namespace holdfast::api
