#include <cerrno>

#include "api/client/change_http.hpp"
#include "api/client/client.hpp"
#include "api/client/decode.hpp"
#include "api/client/http_call.hpp"
#include "api/client/status_poller.hpp"

namespace holdfast::api {
namespace {

constexpr Duration reply_timeout = std::chrono::seconds(2);

// The body of the response to a GET; any status but 200 is an error.
Result<std::string> get(const Service& service, const std::string& target) {
    auto reply = call(socket_of(service.directory), "GET", target, {}, reply_timeout);
    if (!reply) return reply.error();
    if (reply->http_status == 200) return std::move(reply->body);
    if (reply->http_status == 404) return error(decode_error(reply->body), ENOENT);
    return error("the supervisor rejected the request: " + decode_error(reply->body));
}

}  // namespace

Result<ChangeOutcome> send_change(const Service& service, const ChangeRequest& request, Wait wait) {
    const std::string query = wait == Wait::no ? "?wait=no" : "";
    auto reply = call(socket_of(service.directory), "POST", target_of(request) + query, body_of(request));
    if (!reply) return reply.error();
    return parse_outcome(std::move(reply->body));
}

Result<ChangeOutcome> restart(const Service& service, Wait wait) {
    return send_change(service, {ChangeRequest::Kind::restart}, wait);
}
Result<ChangeOutcome> stop(const Service& service, Wait wait) {
    return send_change(service, {ChangeRequest::Kind::stop}, wait);
}
Result<ChangeOutcome> scale(const Service& service, int workers, Wait wait) {
    return send_change(service, {ChangeRequest::Kind::scale, workers}, wait);
}
Result<ChangeOutcome> rollback(const Service& service, Wait wait) {
    return send_change(service, {ChangeRequest::Kind::rollback}, wait);
}
Result<ChangeOutcome> undo(const Service& service, Wait wait) {
    return send_change(service, {ChangeRequest::Kind::undo}, wait);
}
Result<ChangeOutcome> pause(const Service& service, Wait wait) {
    return send_change(service, {ChangeRequest::Kind::pause}, wait);
}
Result<ChangeOutcome> resume(const Service& service, Wait wait) {
    return send_change(service, {ChangeRequest::Kind::resume}, wait);
}
Result<ChangeOutcome> reload(const Service& service, Wait wait) {
    return send_change(service, {ChangeRequest::Kind::reload}, wait);
}

Result<Service> fetch_status(const Service& service) {
    auto body = get(service, "/v1/status");
    if (!body) return body.error();
    return read_service(service.directory, std::move(*body));
}

Result<ChangeOutcome> preview_reload(const Service& service) {
    auto reply = call(socket_of(service.directory), "GET", "/v1/reload", {}, reply_timeout);
    if (!reply) return reply.error();
    return parse_outcome(std::move(reply->body));
}

Result<std::vector<std::string>> history(const Service& service, std::optional<std::size_t> limit) {
    const auto body = get(service, "/v1/history" + (limit ? "?limit=" + std::to_string(*limit) : std::string{}));
    if (!body) return body.error();
    return decode_objects(*body);
}

Result<std::vector<OutputView>> logs(const Service& service, std::string_view worker) {
    const auto body = get(service, "/v1/logs" + (worker.empty() ? std::string{} : "?worker=" + std::string(worker)));
    if (!body) return body.error();
    return decode_outputs(*body);
}

Result<std::string> why(const Service& service, std::string_view worker) {
    const auto body = get(service, "/v1/why?worker=" + std::string(worker));
    if (!body) return body.error();
    return decode_text(*body);
}

}  // namespace holdfast::api
