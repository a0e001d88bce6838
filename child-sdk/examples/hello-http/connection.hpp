#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>

#include "server.hpp"

// One client. Everything happens on the event loop.
//
// How a connection ends without a lost request, although either side may speak at any time: while the worker leaves,
// an idle connection stays readable for keep_alive_min; the next request is answered with "Connection: close"; before
// an idle one is closed it is read once more; then only the sending half is closed, and the client's last bytes are
// read until it closes too: closing with unread bytes would reset the connection and destroy the answer on its way.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    using Socket = boost::asio::generic::stream_protocol::socket;

    Connection(Socket socket, holdfast::Session session, Service& service);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    boost::asio::awaitable<void> serve();

    // The worker leaves, or does not leave any more: an idle connection gets another deadline.
    void reconsider();

    void abandon();

  private:
    using Clock = std::chrono::steady_clock;
    using Request = boost::beast::http::request<boost::beast::http::string_body>;
    enum class Next { request, end };

    boost::asio::awaitable<Next> wait_for_request();
    boost::asio::awaitable<std::optional<Request>> read_request();
    boost::asio::awaitable<Next> answer(Request request);
    boost::asio::awaitable<void> finish();
    Clock::time_point idle_deadline() const;
    bool has_bytes();
    void set_deadline(Clock::time_point deadline);

    Socket socket_;
    holdfast::Session session_;  // the drain waits for this connection
    Service& service_;
    boost::asio::steady_timer deadline_;  // ends the present read or write
    boost::asio::steady_timer work_;      // what a request spends its time with
    boost::beast::flat_buffer buffer_;
    Clock::time_point idle_since_;
    bool is_idle_ = false;
};
