#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/time.hpp"

namespace holdfast::api {

// The API's socket in a runtime directory.
std::string socket_of(const std::string& directory);

struct Reply {
    int http_status = 0;
    std::string body;
    uid_t uid = 0;  // of the process that listens
};

// One HTTP request over the unix socket at `path`; blocks until it is answered. Without `timeout` for as long as it
// takes, but a peer that ends before it has answered is an error at once. The code of an error is the errno: ENOENT and
// ECONNREFUSED where nobody listens, ETIMEDOUT where nobody answered in time.
Result<Reply> call(const std::string& path, std::string_view method, const std::string& target, const std::string& body,
                   std::optional<Duration> timeout = std::nullopt);

}  // namespace holdfast::api
