#include "api/client/client.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "api/client/decode.hpp"
#include "api/client/http_call.hpp"
#include "api/client/status_poller.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;
constexpr Duration status_timeout = 2s;

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : value;
}

// `trusted_uid`: the listening process must belong to this user or to root; nullopt if the user named the directory.
Result<Service> query_service(const std::string& directory, std::optional<uid_t> trusted_uid) {
    auto reply = call(socket_of(directory), "GET", "/v1/status", {}, status_timeout);
    if (!reply) return reply.error();
    if (trusted_uid && reply->uid != 0 && reply->uid != *trusted_uid) {
        return error("cannot trust " + socket_of(directory) + ": the process that listens on it has uid " +
                         std::to_string(reply->uid),
                     EPERM);
    }
    if (reply->http_status != 200) return error(socket_of(directory) + ": " + decode_error(reply->body), EPERM);
    return read_service(directory, std::move(reply->body));
}

std::vector<std::string> subdirectories(const std::string& parent) {
    std::vector<std::string> found;
    std::error_code failure;
    std::filesystem::directory_iterator entries(parent, failure);
    for (; !failure && entries != std::filesystem::directory_iterator{}; entries.increment(failure)) {
        found.push_back(entries->path().string());
    }
    return found;
}

Result<Service> find_named(const std::string& name, const RuntimeEnvironment& environment) {
    std::string tried;
    for (const std::string& directory : candidate_directories(name, environment)) {
        auto service = query_service(directory, environment.uid);
        if (service && service->status.name == name) return service;
        // A supervisor that exists but fails to answer is reported; without one, the search goes on.
        if (!service && service.error().code != ENOENT && service.error().code != ECONNREFUSED) return service;
        tried += (tried.empty() ? "" : ", ") + socket_of(directory);
    }
    return error("no supervisor named " + name + " is running: no process listens on " + tried, ENOENT);
}

Result<Service> find_only(const RuntimeEnvironment& environment) {
    // RUNTIME_DIRECTORY is set when the service manager runs the command in a unit: the unit's supervisor is selected.
    if (!environment.runtime_directory.empty()) {
        const std::string directory = candidate_directories({}, environment).front();
        if (auto service = query_service(directory, environment.uid)) return service;
    }
    auto services = list_services(environment);
    if (services.size() == 1) return std::move(services.front());
    if (services.empty()) return error("no supervisor of this user is running", ENOENT);
    std::string names;
    for (const Service& service : services) names += (names.empty() ? "" : ", ") + service.status.name;
    return error("more than one supervisor is running; give the name of one: " + names, EINVAL);
}

}  // namespace

RuntimeEnvironment current_environment() {
    return {{}, variable("RUNTIME_DIRECTORY"), variable("XDG_RUNTIME_DIR"), ::geteuid()};
}

std::vector<Service> list_services(const RuntimeEnvironment& environment) {
    std::vector<Service> services;
    for (const std::string& parent : service_parent_directories(environment)) {
        for (const std::string& directory : subdirectories(parent)) {
            if (auto service = query_service(directory, environment.uid)) services.push_back(std::move(*service));
        }
    }
    std::ranges::sort(services, {}, [](const Service& service) { return service.status.name; });
    // Two parent directories can be the same: root's $XDG_RUNTIME_DIR may be /run.
    const auto is_same = [](const Service& left, const Service& right) { return left.status.pid == right.status.pid; };
    services.erase(std::unique(services.begin(), services.end(), is_same), services.end());
    return services;
}

Result<Service> find_service(const ServiceSelector& selector, const RuntimeEnvironment& environment) {
    if (selector.runtime_dir.empty())
        return selector.name.empty() ? find_only(environment) : find_named(selector.name, environment);
    auto service = query_service(selector.runtime_dir, std::nullopt);
    if (service && !selector.name.empty() && service->status.name != selector.name) {
        return error(
            selector.runtime_dir + " is the runtime directory of " + service->status.name + ", not of " + selector.name,
            ENOENT);
    }
    return service;
}

}  // namespace holdfast::api
