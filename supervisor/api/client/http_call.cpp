#include "api/client/http_call.hpp"

#include "api/client/http_exchange.hpp"
#include "base/runtime_paths.hpp"

namespace holdfast::api {

std::string socket_of(const std::string& directory) { return directory + "/" + std::string(api_socket_file); }

Result<Reply> call(const std::string& path, std::string_view method, const std::string& target, const std::string& body,
                   std::optional<Duration> timeout) {
    boost::asio::io_context io{1};
    std::optional<Result<Reply>> answer;
    std::make_shared<HttpExchange>(io, path)->start(method, target, body, timeout,
                                                    [&](Result<Reply> reply) { answer = std::move(reply); });
    io.run();
    return std::move(*answer);
}

}  // namespace holdfast::api
