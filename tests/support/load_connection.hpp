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

// One client of a load: at most one socket, at most one request under way. Non-blocking and edge-triggered: whoever
// drives it calls on_event() for every event of the socket, and asks for the result afterwards.
class LoadConnection {
  public:
    // Idle: no request under way. queue_full: a unix listener's queue has no place (connect(2) says EAGAIN where a
    // blocking client would wait): call retry_connect() a little later. in_transit: the request has left the client,
    // but the emulated network has not delivered it yet: call deliver() when it has.
    enum class Phase { idle, queue_full, connecting, in_transit, sending, receiving, succeeded, failed };
    // How a request reaches an open connection: at once, or later, without another look.
    enum class Network { immediate, delayed };

    LoadConnection() = default;
    ~LoadConnection() { close(); }
    LoadConnection(const LoadConnection&) = delete;
    LoadConnection& operator=(const LoadConnection&) = delete;

    // Starts a request on the open connection, or on a new one. Before an idle connection is used again it is looked
    // at: an end that had already arrived is no failure of this request.
    void begin(const ServerAddress& server, int epoll_fd, std::uint64_t tag, std::string request,
               Network network = Network::immediate);
    void deliver();
    void retry_connect();
    void on_event();
    // The request's time is over.
    void time_out();
    // Takes the result away and is idle again; closes unless the connection lives on.
    void finish();
    void close();

    Phase phase() const { return phase_; }
    bool is_over() const { return phase_ == Phase::succeeded || phase_ == Phase::failed; }
    Failure failure() const { return failure_; }  // after failed
    const std::string& detail() const { return detail_; }
    const std::string& worker() const { return parser_.worker(); }
    bool opened() const { return opened_; }  // for this request
    // True once for each request, as soon as the kernel has taken it wholly.
    bool takes_sent() { return std::exchange(has_sent_, false); }
    bool found_closed() const { return found_closed_; }  // while it was idle
    // How long the connection was really idle before this request, from the answer's arrival in this kernel to the
    // request's departure. Nothing for the first request of a connection.
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
    bool is_reused_ = false;  // an answer, before this request
    Instant answered_{};      // when that answer was read
    std::optional<Duration> pause_;
    bool has_sent_ = false;
    bool opened_ = false;
    bool found_closed_ = false;
};

}  // namespace holdfast::test
