#include "api/looking.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "api/changes.hpp"
#include "api/decode.hpp"
#include "api/exchange.hpp"

namespace holdfast::api {
namespace {

constexpr Duration look_limit = std::chrono::seconds(2);

Result<Service> read_look(const std::string& directory, Result<Reply> reply) {
    if (!reply) return reply.error();
    if (reply->http_status != 200) return error("the supervisor does not answer this: " + decode_error(reply->body));
    return read_service(directory, std::move(reply->body));
}

}  // namespace

Result<Service> read_service(const std::string& directory, std::string body) {
    auto status = decode_status(body);
    if (!status) return status.error();
    return Service{directory, without_newline(std::move(body)), std::move(*status)};
}

void Looking::look(std::function<void(Result<Service>)> done) {
    is_under_way_ = true;
    const auto request = std::make_shared<Exchange>(io_, socket_of(directory_));
    request->start("GET", "/v1/status", {}, look_limit, [this, done = std::move(done)](Result<Reply> reply) {
        is_under_way_ = false;
        done(read_look(directory_, std::move(reply)));
    });
}

}  // namespace holdfast::api
