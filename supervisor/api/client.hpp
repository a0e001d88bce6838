#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace holdfast::api {

// Whose supervisor is meant. Both empty: the one that this user runs.
struct Where {
    std::string name;         // of the service
    std::string runtime_dir;  // its runtime directory itself, where the user named it
};

// A supervisor that answered.
struct Service {
    std::string name;
    std::string directory;    // its runtime directory
    std::string status_json;  // what it answered to GET /v1/status
    std::string socket() const { return directory + "/api.sock"; }
};

// Every supervisor of this user that answers within 2 s, ordered by name.
std::vector<Service> list_services();

// The one that is meant. The error says where was looked, or which ones there are to choose from.
Result<Service> find_service(const Where& where);

struct Call {
    std::string method = "GET";
    std::string target;  // "/v1/status"
    std::string body;    // JSON, or empty
};

struct Reply {
    int http_status = 0;
    std::string body;
};

// One request over the socket at `path`. Blocks until it is answered; without `within` for as long as it takes, but a
// supervisor that ended before it answered is noticed at once and is an error.
Result<Reply> call(const std::string& path, const Call& what, std::optional<Duration> within = std::nullopt);

}  // namespace holdfast::api
