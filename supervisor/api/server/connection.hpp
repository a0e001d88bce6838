#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/server/route.hpp"

namespace holdfast::api {

using Socket = boost::asio::generic::stream_protocol::socket;  // TCP or unix

struct HttpRequest {
    std::string method, target, body;
};

struct HttpResponse {
    int http_status = 200;
    std::string body;
    std::string content_type;
    std::string allow{};  // Allow header of a 405: the supported methods
};

class Connection;

// Configuration shared by all connections of a server. Must outlive them.
struct ConnectionConfig {
    std::uint32_t max_header_bytes = 8 * 1024;
    std::uint64_t max_body_bytes = 64 * 1024;
    std::chrono::milliseconds io_timeout{10'000};  // to receive a complete request, and to send a complete response
    // Handles one request. Must call respond(), defer_response() or release_socket() on the connection.
    std::function<void(Connection&, const HttpRequest&)> serve;
    // Builds the response to a request that is malformed or too large.
    std::function<HttpResponse(int http_status, std::string text)> error_response;
    // Called after each change of the connection's state. The call with State::closed is the last one.
    std::function<void(Connection&)> on_state_change;
};

// One client connection (HTTP/1.1). Requests are handled one at a time: the next one is read when the response to the
// previous one has been written. The connection closes itself when receiving a request or sending a response takes
// longer than `io_timeout`, and when the client hangs up.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    enum class State { reading, waiting, writing, closed };

    Connection(Socket socket, const ConnectionConfig& config);
    ~Connection();

    void start();
    void respond(HttpResponse reply);
    // The response follows later, with respond_deferred(). No timeout runs until then.
    void defer_response();
    // Sends the response after defer_response(). Does nothing if the client has hung up.
    void respond_deferred(HttpResponse reply);
    // Moves the socket to the caller, which no longer speaks HTTP on it, and closes this object.
    Socket release_socket();

    // Closes at once if no response is pending, else when the response has been written.
    void close_when_answered();
    void close();

    State state() const { return state_; }
    // Memory held by a response that the client has not read completely.
    std::size_t unread_bytes() const { return unread_bytes_; }
    Peer peer() const;
    // When the current read or write began.
    std::chrono::steady_clock::time_point idle_since() const { return timer_.expiry() - config_.io_timeout; }

  private:
    struct Reader;
    struct Writer;
    enum class KeepAlive { yes, no };

    void set_state(State state);
    void read();
    void handle_request();
    void handle_broken_request(const boost::system::error_code& failure);
    void watch_for_hang_up();
    void written(const boost::system::error_code& failure);
    void start_timeout();
    void stop_timeout();

    Socket socket_;
    const ConnectionConfig& config_;
    boost::asio::steady_timer timer_;  // runs only during a read or a write
    std::uint64_t timer_run_ = 0;      // incremented by each start and stop of the timer
    State state_ = State::closed;
    std::size_t unread_bytes_ = 0;
    KeepAlive keep_alive_ = KeepAlive::yes;
    enum class Method { head, other } method_ = Method::other;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<Writer> writer_;
};

}  // namespace holdfast::api
