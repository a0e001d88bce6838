#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/client/http_call.hpp"

namespace holdfast::api {

using OutgoingRequest = boost::beast::http::request<boost::beast::http::string_body>;

OutgoingRequest make_request(std::string_view method, const std::string& target, const std::string& body);

// Connects `socket` to the unix socket at `path`. Blocks while the backlog there is full, for `timeout` at most.
Result<void> connect_to(boost::asio::local::stream_protocol::socket& socket, const std::string& path,
                        std::optional<Duration> timeout);

// The words of every error of this client: "cannot ask the supervisor at <path>: <cause>".
Error cannot_ask(const std::string& path, const std::string& cause, int code);

// One HTTP request on a connection of its own, in somebody's loop. Lives until it is answered.
class HttpExchange : public std::enable_shared_from_this<HttpExchange> {
  public:
    HttpExchange(boost::asio::io_context& io, std::string path) : path_(std::move(path)), socket_(io), timer_(io) {}

    // `done` is called exactly once, unless the loop ends first; perhaps from within this call.
    void start(std::string_view method, const std::string& target, const std::string& body,
               std::optional<Duration> timeout, std::function<void(Result<Reply>)> done);

  private:
    void read();
    void answered(const boost::system::error_code& failure);
    void finish(Result<Reply> reply);

    std::string path_;
    boost::asio::local::stream_protocol::socket socket_;
    boost::asio::steady_timer timer_;
    OutgoingRequest request_;
    boost::beast::flat_buffer buffer_;
    boost::beast::http::response_parser<boost::beast::http::string_body> parser_;
    std::function<void(Result<Reply>)> done_;
};

}  // namespace holdfast::api
