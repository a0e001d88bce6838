#pragma once

#include <string>

#include "api/client/client.hpp"

namespace holdfast::api {

// Decodes the JSON responses of the API. Missing members keep their defaults and unknown ones are ignored, so that a
// newer or older supervisor is understood. Only text that is not JSON of the expected type (object or array) is an
// error.
Result<ServiceView> decode_status(const std::string& json);
Result<ChangeOutcome> decode_outcome(const std::string& json);
Result<std::vector<OutputView>> decode_outputs(const std::string& json);
Result<EventView> decode_event(std::string json);
// Each element of an array of objects, as JSON.
Result<std::vector<std::string>> decode_objects(const std::string& json);
// The sentence of {"text": "…"}.
Result<std::string> decode_text(const std::string& json);
// The sentence of {"error": "…"}, or `json` itself if it is not such an object.
std::string decode_error(const std::string& json);

}  // namespace holdfast::api
