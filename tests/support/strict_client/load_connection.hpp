#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/time.hpp"
#include "http_response.hpp"
#include "load_report.hpp"
#include "server_address.hpp"

namespace holdfast::test {

// One client of a load, with at most one socket and at most one request in flight. Non-blocking and edge-triggered: the
// caller calls on_event() for every event of the socket and then checks the phase.
class LoadConnection {
  public:
    // idle: no request is in flight. queue_full: the queue of a unix listener is full (connect(2) fails with EAGAIN
    // where a blocking client would wait); call retry_connect() a little later. in_transit: the client has sent the
    // request, but the emulated network has not delivered it yet; call deliver() when it has.
    enum class Phase { idle, queue_full, connecting, in_transit, sending, receiving, succeeded, failed };
    // How a request is sent on an open connection: at once, or later, without checking the connection again.
    enum class Network { immediate, delayed };

    LoadConnection() = default;
    ~LoadConnection() { close(); }
    LoadConnection(const LoadConnection&) = delete;
    LoadConnection& operator=(const LoadConnection&) = delete;

    // Starts a request on the open connection, or on a new one. An idle connection is checked before it is used again:
    // if the server has already closed it, this is not a failure of the request.
    void begin(const ServerAddress& server, int epoll_fd, std::uint64_t tag, std::string request,
               Network network = Network::immediate);
    void deliver();
    void retry_connect();
    void on_event();
    // The request has timed out.
    void time_out();
    // Discards the result and becomes idle. Closes the connection unless it is kept alive.
    void finish();
    void close();

    Phase phase() const { return phase_; }
    bool is_over() const { return phase_ == Phase::succeeded || phase_ == Phase::failed; }
    Failure failure() const { return failure_; }  // after failed
    const std::string& detail() const { return detail_; }
    const std::string& worker() const { return parser_.worker(); }
    bool opened() const { return opened_; }  // a new connection, for this request
    // True once for each request, as soon as it was written to the kernel completely.
    bool takes_sent() { return std::exchange(has_sent_, false); }
    bool found_closed() const { return found_closed_; }  // while it was idle
    // How long the connection was idle before this request, from the arrival of the last response in this kernel to the
    // sending of the request. Nothing for the first request of a connection.
    std::optional<Duration> pause() const { return pause_; }

  private:
    bool is_still_open();
    void connect(const ServerAddress& server);
    void drive();
    bool finish_connecting();
    bool send_more();
    void measure_pause();
    void receive_more();
    void end_of_stream();
    void connection_error(int error_number);
    void fail(Failure failure, std::string detail);

    int fd_ = -1;
    int epoll_fd_ = -1;
    std::uint64_t tag_ = 0;
    const ServerAddress* server_ = nullptr;
    Phase phase_ = Phase::idle;
    Failure failure_ = Failure::other;
    std::string detail_;
    std::string request_;
    std::size_t sent_ = 0;
    ResponseParser parser_;
    bool is_reused_ = false;  // the connection carried a response before this request
    Instant answered_{};      // when that response was read
    std::optional<Duration> pause_;
    bool has_sent_ = false;
    bool opened_ = false;
    bool found_closed_ = false;
};

}  // namespace holdfast::test
