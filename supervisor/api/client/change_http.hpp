#pragma once

#include <string>

#include "api/client/change_client.hpp"

namespace holdfast::api {

// A change as an HTTP request, and its response.
std::string target_of(const ChangeRequest& request);  // "/v1/restart"
std::string body_of(const ChangeRequest& request);
Result<ChangeOutcome> parse_outcome(std::string body);

// Removes the line feeds at the end of a response.
std::string without_newline(std::string text);

}  // namespace holdfast::api
