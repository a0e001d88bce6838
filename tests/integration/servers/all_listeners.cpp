// Serves HTTP on every inherited listener, including the private listener for probes. If $HEALTH_STATUS is set, it is
// the status line of the responses to GET /health; if $SICK_WHEN is set as well, only once that file exists.

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <deque>
#include <exception>
#include <holdfast/blocking.hpp>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>

#include "http_text.hpp"

using holdfast::BlockingConnection;

namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::optional<http_text::Request> read_request(BlockingConnection& connection, std::string& bytes) {
    std::array<char, 4096> part;
    for (;;) {
        const std::optional<http_text::Request> request = http_text::parse(bytes);
        if (request && !request->is_served) return std::nullopt;
        if (request && bytes.size() >= request->bytes()) return request;
        const std::size_t size = connection.read_some(part);
        if (size == 0) return std::nullopt;
        bytes.append(part.data(), size);
    }
}

struct Service {
    std::string answer(const http_text::Request& request, http_text::Says says) const {
        const std::string text = http_text::answer(id, says);
        if (health.empty() || !request.target.starts_with("/health")) return text;
        if (!sick_when.empty() && ::access(sick_when.c_str(), F_OK) != 0) return text;
        return "HTTP/1.1 " + health + text.substr(text.find("\r\n"));
    }

    void serve(BlockingConnection& connection) {
        std::string bytes;
        while (!bytes.empty() || connection.wait_for_request() == BlockingConnection::Next::request) {
            const std::optional<http_text::Request> request = read_request(connection, bytes);
            if (!request) return;
            const holdfast::Request counted = worker.begin_request(request->name());
            if (!connection.wait_for(request->ms)) return;
            const bool is_last = connection.says_close() || !request->keep_alive;
            const auto says = is_last ? http_text::Says::close : http_text::Says::keep_alive;
            if (!connection.write_all(answer(*request, says)) || is_last) return;
            bytes.erase(0, request->bytes());
        }
    }

    holdfast::Worker& worker;
    const std::string id = http_text::worker_id();
    const std::string health = variable("HEALTH_STATUS");
    const std::string sick_when = variable("SICK_WHEN");
};

}  // namespace

int main() try {
    std::istringstream names(variable("LISTEN_FDNAMES"));
    holdfast::Worker worker;
    Service service{worker};
    std::deque<holdfast::BlockingServer> servers;
    for (std::string name; std::getline(names, name, ':');) {
        servers.emplace_back(worker, worker.listener(name),
                             [&](BlockingConnection& connection) { service.serve(connection); });
    }
    worker.ready();
    return worker.wait();
} catch (const std::exception& failure) {
    std::cerr << "all-listeners: " << failure.what() << '\n';
    return 1;
}
