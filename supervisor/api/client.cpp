#include "api/client.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "api/decode.hpp"
#include "api/http_call.hpp"
#include "base/runtime_paths.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;
constexpr Duration status_limit = 2s;

std::string socket_of(const std::string& directory) { return directory + "/" + std::string(api_socket_file); }

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : value;
}

RuntimeSurroundings surroundings() {
    return {{}, variable("RUNTIME_DIRECTORY"), variable("XDG_RUNTIME_DIR"), ::getuid()};
}

std::string without_newline(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

enum class Trust { ours_and_root, anybody };

Result<Service> visit(const std::string& directory, Trust trust) {
    auto reply = call(socket_of(directory), "GET", "/v1/status", {}, status_limit);
    if (!reply) return reply.error();
    if (trust == Trust::ours_and_root && reply->uid != 0 && reply->uid != ::getuid()) {
        return error(socket_of(directory) + " is held by a process of uid " + std::to_string(reply->uid), EPERM);
    }
    if (reply->http_status != 200) return error(socket_of(directory) + ": " + decode_error(reply->body), EPERM);
    auto status = decode_status(reply->body);
    if (!status) return status.error();
    return Service{directory, without_newline(std::move(reply->body)), std::move(*status)};
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

Result<Service> find_named(const std::string& name) {
    std::string looked;
    for (const std::string& directory : candidate_directories(name, surroundings())) {
        auto service = visit(directory, Trust::ours_and_root);
        if (service && service->status.name == name) return service;
        // One that is there but cannot be asked is the answer; one that is not there is only a place to name.
        if (!service && service.error().code != ENOENT && service.error().code != ECONNREFUSED) return service;
        looked += (looked.empty() ? "" : ", ") + socket_of(directory);
    }
    return error("no supervisor named " + name + " is running: nobody answers at " + looked, ENOENT);
}

Result<Service> find_only() {
    // Called by the service manager from within a unit: the unit's own supervisor is meant.
    if (!surroundings().runtime_directory.empty()) {
        const std::string directory = candidate_directories({}, surroundings()).front();
        if (auto service = visit(directory, Trust::ours_and_root)) return service;
    }
    auto services = list_services();
    if (services.size() == 1) return std::move(services.front());
    if (services.empty()) return error("no supervisor of this user is running", ENOENT);
    std::string names;
    for (const Service& service : services) names += (names.empty() ? "" : ", ") + service.status.name;
    return error("more than one supervisor is running, say which one is meant: " + names, EINVAL);
}

Result<Answer> change(const Service& service, std::string target, const std::string& body, Wait wait) {
    if (wait == Wait::no) target += "?wait=no";
    auto reply = call(socket_of(service.directory), "POST", target, body);
    if (!reply) return reply.error();
    auto answer = decode_answer(reply->body);
    if (answer && answer->result.empty()) return error("the supervisor does not do this: " + decode_error(reply->body));
    if (answer) answer->json = without_newline(std::move(reply->body));
    return answer;
}

}  // namespace

std::vector<Service> list_services() {
    std::vector<Service> services;
    for (const std::string& parent : service_collections(surroundings())) {
        for (const std::string& directory : subdirectories(parent)) {
            if (auto service = visit(directory, Trust::ours_and_root)) services.push_back(std::move(*service));
        }
    }
    std::ranges::sort(services, {}, [](const Service& service) { return service.status.name; });
    return services;
}

Result<Service> find_service(const Where& where) {
    if (where.runtime_dir.empty()) return where.name.empty() ? find_only() : find_named(where.name);
    auto service = visit(where.runtime_dir, Trust::anybody);
    if (service && !where.name.empty() && service->status.name != where.name) {
        return error(
            where.runtime_dir + " is the runtime directory of " + service->status.name + ", not of " + where.name,
            ENOENT);
    }
    return service;
}

Result<Answer> restart(const Service& service, Wait wait) { return change(service, "/v1/restart", {}, wait); }

Result<Answer> stop(const Service& service, Wait wait) { return change(service, "/v1/stop", {}, wait); }

Result<Answer> scale(const Service& service, int workers, Wait wait) {
    return change(service, "/v1/scale", R"({"workers": )" + std::to_string(workers) + "}", wait);
}

}  // namespace holdfast::api
