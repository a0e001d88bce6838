#include "api/client/status_poller.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "api/client/change_http.hpp"
#include "api/client/decode.hpp"
#include "api/client/http_exchange.hpp"

namespace holdfast::api {
namespace {

constexpr Duration poll_timeout = std::chrono::seconds(2);

Result<Service> read_status(const std::string& directory, Result<Reply> reply) {
    if (!reply) return reply.error();
    if (reply->http_status != 200) return error("the supervisor rejected the request: " + decode_error(reply->body));
    return read_service(directory, std::move(reply->body));
}

}  // namespace

Result<Service> read_service(const std::string& directory, std::string body) {
    auto status = decode_status(body);
    if (!status) return status.error();
    return Service{directory, without_newline(std::move(body)), std::move(*status)};
}

void StatusPoller::poll(std::function<void(Result<Service>)> done) {
    is_under_way_ = true;
    const auto request = std::make_shared<HttpExchange>(io_, socket_of(directory_));
    request->start("GET", "/v1/status", {}, poll_timeout, [this, done = std::move(done)](Result<Reply> reply) {
        is_under_way_ = false;
        done(read_status(directory_, std::move(reply)));
    });
}

}  // namespace holdfast::api
