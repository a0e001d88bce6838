#include "api/server/probe_server.hpp"

#include <string_view>
#include <utility>

#include "api/server/connection_manager.hpp"

namespace holdfast::api {
namespace {

constexpr std::size_t max_unread_bytes = 256 * 1024;  // buffered responses over all connections

HttpResponse line(int http_status, std::string text, std::string allow = {}) {
    return {http_status, std::move(text) + "\n", "text/plain; charset=utf-8", std::move(allow)};
}

HttpResponse probe(const HttpRequest& request, const std::function<Readiness()>& readiness) {
    const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
    const bool is_liveness = path == "/livez", is_readiness = path == "/readyz" || path == "/healthz";
    if (!is_liveness && !is_readiness) return line(404, "unknown path; the paths are /livez, /readyz and /healthz");
    if (request.method != "GET" && request.method != "HEAD") {
        return line(405, "method not allowed; this path takes GET and HEAD", "GET, HEAD");
    }
    if (is_liveness) return line(200, "alive");
    const Readiness found = readiness();
    if (found.is_ready) return line(200, found.because.empty() ? "ready" : "ready; " + found.because);
    return line(503, found.because.empty() ? "not ready" : found.because);
}

}  // namespace

ProbeServer::ProbeServer(boost::asio::any_io_executor executor, const std::vector<int>& listening_fds,
                         std::function<Readiness()> readiness, ProbeLimits limits) {
    ConnectionConfig config;
    config.max_header_bytes = 4 * 1024;
    config.max_body_bytes = 0;
    config.io_timeout = limits.io_timeout;
    config.serve = [readiness = std::move(readiness)](Connection& client, const HttpRequest& request) {
        client.respond(probe(request, readiness));
    };
    config.error_response = [](int http_status, std::string text) { return line(http_status, std::move(text)); };
    connection_manager_ = std::make_shared<ConnectionManager>(
        executor, listening_fds, std::move(config),
        ConnectionManager::Limits{limits.connections, max_unread_bytes, limits.min_idle, limits.emfile_backoff, {}});
    connection_manager_->open();
}

ProbeServer::~ProbeServer() { connection_manager_->close(); }

}  // namespace holdfast::api
