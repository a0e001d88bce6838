#pragma once

#include <string>

#include "api/client/client.hpp"

namespace holdfast::api {

// The API's JSON, read back. What is missing keeps its default and what is unknown is passed over, so that a newer
// supervisor can be asked; only something that is no JSON object is an error.
Result<ServiceView> decode_status(const std::string& json);
Result<ChangeOutcome> decode_outcome(const std::string& json);
Result<std::vector<OutputView>> decode_outputs(const std::string& json);
Result<EventView> decode_event(std::string json);
// Each element of an array of objects, as JSON.
Result<std::vector<std::string>> decode_objects(const std::string& json);
// The sentence of {"text": "…"}.
Result<std::string> decode_text(const std::string& json);
// The sentence of {"error": "…"}; the text itself if it is none.
std::string decode_error(const std::string& json);

}  // namespace holdfast::api
