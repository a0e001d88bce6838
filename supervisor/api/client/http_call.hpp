#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace holdfast::api {

// The longest response body: the status of 4096 workers with full drain reports.
inline constexpr std::size_t max_answer_bytes = 16 * 1024 * 1024;

// The path of the API's socket in a runtime directory.
std::string socket_of(const std::string& directory);

struct Reply {
    int http_status = 0;
    std::string body;
    uid_t uid = 0;  // of the listening process (SO_PEERCRED)
};

// Sends one HTTP request over the unix socket at `path` and blocks until the response has arrived, or until `timeout`
// if there is one. It is an error at once if the peer ends before it has answered. The error code is an errno: ENOENT
// or ECONNREFUSED if no process listens, ETIMEDOUT at the timeout.
Result<Reply> call(const std::string& path, std::string_view method, const std::string& target, const std::string& body,
                   std::optional<Duration> timeout = std::nullopt);

}  // namespace holdfast::api
