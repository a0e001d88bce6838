#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/client/http_exchange.hpp"
#include "api/client/views.hpp"

namespace holdfast::api {

// Reads the supervisor's event stream on its own connection, in the event loop `io`.
class EventReader : public std::enable_shared_from_this<EventReader> {
  public:
    using OnEvent = std::function<void(const EventView&)>;

    EventReader(boost::asio::io_context& io, std::string path) : path_(std::move(path)), socket_(io), timer_(io) {}

    // `begun` is called once, after 2 s at the latest: without an error when the stream is open and no event will be
    // missed, else with the reason why it is not. `ended` is called when the supervisor has closed the stream.
    void start(
        std::function<void(Result<void>)> begun, OnEvent on_event, std::function<void()> ended = [] {});
    // Calls `on_event` for the events that have arrived already, without blocking, and closes.
    void drain();
    void close();

  private:
    enum class State { beginning, reading, closed };
    void read_header();
    void read_on();
    void consume(std::string_view bytes);
    void consume_line(std::string_view line);
    void begin(Result<void> how);
    void end();

    std::string path_;
    boost::asio::local::stream_protocol::socket socket_;
    boost::asio::steady_timer timer_;
    State state_ = State::beginning;
    OutgoingRequest request_;
    boost::beast::flat_buffer buffer_;
    std::optional<boost::beast::http::response_parser<boost::beast::http::empty_body>> parser_;
    std::array<char, 16 * 1024> bytes_{};
    std::string line_;  // the part of the current line that has arrived
    std::function<void(Result<void>)> begun_;
    OnEvent on_event_;
    std::function<void()> ended_;
};

}  // namespace holdfast::api
