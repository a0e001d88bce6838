#include <cerrno>

#include "api/changes.hpp"
#include "api/client.hpp"
#include "api/decode.hpp"
#include "api/http_call.hpp"
#include "api/looking.hpp"

namespace holdfast::api {
namespace {

constexpr Duration answer_limit = std::chrono::seconds(2);

// The body of a GET that was answered with 200.
Result<std::string> get(const Service& service, const std::string& target) {
    auto reply = call(socket_of(service.directory), "GET", target, {}, answer_limit);
    if (!reply) return reply.error();
    if (reply->http_status == 200) return std::move(reply->body);
    if (reply->http_status == 404) return error(decode_error(reply->body), ENOENT);
    return error("the supervisor does not answer this: " + decode_error(reply->body));
}

}  // namespace

Result<Answer> change(const Service& service, const Wish& wish, Wait wait) {
    const std::string query = wait == Wait::no ? "?wait=no" : "";
    auto reply = call(socket_of(service.directory), "POST", target_of(wish) + query, body_of(wish));
    if (!reply) return reply.error();
    return read_answer(std::move(reply->body));
}

Result<Answer> restart(const Service& service, Wait wait) { return change(service, {Wish::What::restart}, wait); }
Result<Answer> stop(const Service& service, Wait wait) { return change(service, {Wish::What::stop}, wait); }
Result<Answer> scale(const Service& service, int workers, Wait wait) {
    return change(service, {Wish::What::scale, workers}, wait);
}
Result<Answer> rollback(const Service& service, Wait wait) { return change(service, {Wish::What::rollback}, wait); }
Result<Answer> undo(const Service& service, Wait wait) { return change(service, {Wish::What::undo}, wait); }
Result<Answer> pause(const Service& service, Wait wait) { return change(service, {Wish::What::pause}, wait); }
Result<Answer> resume(const Service& service, Wait wait) { return change(service, {Wish::What::resume}, wait); }
Result<Answer> reload(const Service& service, Wait wait) { return change(service, {Wish::What::reload}, wait); }

Result<Service> look_again(const Service& service) {
    auto body = get(service, "/v1/status");
    if (!body) return body.error();
    return read_service(service.directory, std::move(*body));
}

Result<Answer> what_reload_would_do(const Service& service) {
    auto reply = call(socket_of(service.directory), "GET", "/v1/reload", {}, answer_limit);
    if (!reply) return reply.error();
    return read_answer(std::move(reply->body));
}

Result<std::vector<std::string>> history(const Service& service, std::optional<std::size_t> newest) {
    const auto body = get(service, "/v1/history" + (newest ? "?limit=" + std::to_string(*newest) : std::string{}));
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
