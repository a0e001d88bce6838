#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/server/server.hpp"

namespace holdfast::api {

inline constexpr std::string_view get_status = "GET /v1/status HTTP/1.1\r\nHost: h\r\n\r\n";
inline constexpr std::string_view post_restart = "POST /v1/restart HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
inline constexpr std::string_view get_events = "GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n";

// A temporary directory with a listening unix socket.
class ListeningDirectory {
  public:
    ListeningDirectory();
    ~ListeningDirectory();
    std::string path() const { return path_; }
    std::string socket_path() const { return path_ + "/api.sock"; }
    // Binds and listens; the caller owns the descriptor.
    int listen(int backlog = 128) const;

  private:
    std::string path_;
};

// A non-blocking client that sends arbitrary bytes.
class RawClient {
  public:
    explicit RawClient(const std::string& socket_path);
    explicit RawClient(int connected_fd) : fd_(connected_fd) {}
    ~RawClient() { hang_up(); }
    RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

    void send(std::string_view bytes) const;
    void finish_sending() const;
    void hang_up();
    // Everything that has arrived so far.
    const std::string& received();
    // The server has closed the connection.
    bool is_ended();
    // A complete response has arrived, according to its Content-Length.
    bool is_answered();
    // The server has closed the connection; checked without reading from it.
    bool is_cut_off() const;
    // Frees the memory of received().
    void forget_received() { std::string().swap(received_); }

  private:
    void read();
    int fd_ = -1;
    bool ended_ = false;
    std::string received_;
};

// A server that runs in the test's thread. Its supervisor is a list of requests that the test answers.
class ServerTest : public testing::Test {
  protected:
    struct PendingRequest {
        core::Request request;
        std::function<void(core::Outcome)> answer;
    };

    struct PendingReload {
        std::string asked_by;
        std::function<void(core::Outcome)> answer;
    };

    void start(Limits limits = {});
    Backend backend();
    // Sends the event to all subscribers.
    void emit(std::string_view event);
    RawClient connect() const { return RawClient(directory_.socket_path()); }
    // Runs the server until `condition` is true; fails after 5 s.
    void run_until(const std::function<bool()>& condition);
    // The response to a request, with its header.
    std::string answer_to(std::string_view request);
    // Connects and sends the request, without running the server.
    RawClient ask(std::string_view request) const;
    // Runs the event loop for `time`; returns the number of handlers that it executed.
    std::size_t handlers_run_within(std::chrono::milliseconds time);

    ListeningDirectory directory_;
    boost::asio::io_context io_{1};
    std::vector<PendingRequest> requests_;
    std::vector<PendingReload> reloads_;
    core::Outcome reload_preview_;
    std::vector<std::string> history_;
    std::vector<core::LastOutput> last_output_;
    std::list<std::function<void(std::string_view)>> subscribers_;
    core::Status status_;
    std::unique_ptr<Server> server_;
};

// The number of file descriptors that this process has open.
std::size_t open_descriptors();

}  // namespace holdfast::api
