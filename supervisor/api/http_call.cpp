#include "api/http_call.hpp"

#include "api/exchange.hpp"
#include "base/runtime_paths.hpp"

namespace holdfast::api {

std::string socket_of(const std::string& directory) { return directory + "/" + std::string(api_socket_file); }

Result<Reply> call(const std::string& path, std::string_view method, const std::string& target, const std::string& body,
                   std::optional<Duration> within) {
    boost::asio::io_context io{1};
    std::optional<Result<Reply>> answer;
    std::make_shared<Exchange>(io, path)->start(method, target, body, within,
                                                [&](Result<Reply> reply) { answer = std::move(reply); });
    io.run();
    return std::move(*answer);
}

}  // namespace holdfast::api
