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

// Connects `socket` to the unix socket at `path`. Blocks while the backlog of that socket is full, for at most
// `timeout`.
Result<void> connect_to(boost::asio::local::stream_protocol::socket& socket, const std::string& path,
                        std::optional<Duration> timeout);

// "cannot get an answer from the supervisor at <path>: <cause>"; `code` is an errno.
Error call_error(const std::string& path, const std::string& cause, int code);

// One HTTP request and its response, on its own connection, in the event loop `io`. Keeps itself alive until it is
// done.
class HttpExchange : public std::enable_shared_from_this<HttpExchange> {
  public:
    HttpExchange(boost::asio::io_context& io, std::string path) : path_(std::move(path)), socket_(io), timer_(io) {}

    // `done` is called exactly once, possibly from within this call, unless the event loop ends first.
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
