#include "api/probe_server.hpp"

#include <string_view>
#include <utility>

#include "api/reception.hpp"

namespace holdfast::api {
namespace {

constexpr std::size_t unread_bytes = 256 * 1024;  // of all answers

HttpReply line(int http_status, std::string text, std::string allow = {}) {
    return {http_status, std::move(text) + "\n", "text/plain; charset=utf-8", std::move(allow)};
}

HttpReply probe(const HttpQuery& query, const std::function<Readiness()>& readiness) {
    const std::string_view path = std::string_view(query.target).substr(0, query.target.find('?'));
    const bool asks_life = path == "/livez", asks_readiness = path == "/readyz" || path == "/healthz";
    if (!asks_life && !asks_readiness) return line(404, "there are /livez, /readyz and /healthz");
    if (query.method != "GET" && query.method != "HEAD") return line(405, "this takes GET and HEAD", "GET, HEAD");
    if (asks_life) return line(200, "alive");
    const Readiness found = readiness();
    if (found.is_ready) return line(200, found.because.empty() ? "ready" : "ready; " + found.because);
    return line(503, found.because.empty() ? "not ready" : found.because);
}

}  // namespace

ProbeServer::ProbeServer(boost::asio::any_io_executor executor, const std::vector<int>& listening_fds,
                         std::function<Readiness()> readiness, ProbeLimits limits) {
    Host host;
    host.max_header_bytes = 4 * 1024;
    host.max_body_bytes = 0;
    host.bytes = limits.bytes;
    host.serve = [readiness = std::move(readiness)](Connection& client, const HttpQuery& query) {
        client.respond(probe(query, readiness));
    };
    host.complain = [](int http_status, std::string text) { return line(http_status, std::move(text)); };
    reception_ = std::make_shared<Reception>(
        executor, listening_fds, std::move(host),
        Reception::Limits{limits.connections, unread_bytes, limits.patience, limits.pause, {}});
    reception_->open();
}

ProbeServer::~ProbeServer() { reception_->close(); }

}  // namespace holdfast::api
