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
    std::string allow{};  // with 405: the methods that exist
};

class Connection;

// What all connections of a server share; outlives them.
struct ConnectionConfig {
    std::uint32_t max_header_bytes = 8 * 1024;
    std::uint64_t max_body_bytes = 64 * 1024;
    std::chrono::milliseconds io_timeout{10'000};  // for a whole request to arrive, for a whole answer to leave
    // Answers with respond(), defer_response() or release_socket().
    std::function<void(Connection&, const HttpRequest&)> serve;
    // The words for a client that sent no HTTP.
    std::function<HttpResponse(int http_status, std::string text)> error_response;
    // Where it stands has changed; called once more, and then never again, when it is closed.
    std::function<void(Connection&)> on_state_change;
};

// One client: its requests are read, answered and only then the next is read. Ends by itself after 10 s without a
// whole request, or with an answer that is not read; when the client hangs up, or when it is closed.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    enum class State { reading, waiting, writing, closed };

    Connection(Socket socket, const ConnectionConfig& config);
    ~Connection();

    void start();
    void respond(HttpResponse reply);
    // The answer takes its time, and no byte is owed to us until then.
    void defer_response();
    // Where defer_response() was called and the client is still there.
    void respond_deferred(HttpResponse reply);
    // The connection is no HTTP any more; this object ends.
    Socket release_socket();

    // Ends at once if nothing is owed to the client, else when its answer is written.
    void close_when_answered();
    void close();

    State state() const { return state_; }
    // What the answer takes that the client has still to read.
    std::size_t unread_bytes() const { return unread_bytes_; }
    Peer peer() const;
    // When it was last waited for: its present read or write began then.
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
    boost::asio::steady_timer timer_;  // runs only while bytes are awaited
    std::uint64_t timer_run_ = 0;      // which of its runs is the present one
    State state_ = State::closed;
    std::size_t unread_bytes_ = 0;
    KeepAlive keep_alive_ = KeepAlive::yes;
    enum class Method { head, other } method_ = Method::other;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<Writer> writer_;
};

}  // namespace holdfast::api
