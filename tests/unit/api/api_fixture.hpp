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

// A directory of its own for each test, and a unix socket that listens in it.
class ListeningDirectory {
  public:
    ListeningDirectory();
    ~ListeningDirectory();
    std::string path() const { return path_; }
    std::string socket_path() const { return path_ + "/api.sock"; }
    // Binds and listens; the descriptor is the caller's.
    int listen(int backlog = 128) const;

  private:
    std::string path_;
};

// A client that sends whatever it is told to and never blocks.
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
    // A whole response has arrived, by its Content-Length.
    bool is_answered();
    // The server has closed the connection; nothing is read to find that out.
    bool is_cut_off() const;
    // What has arrived takes no memory any more.
    void forget_received() { std::string().swap(received_); }

  private:
    void read();
    int fd_ = -1;
    bool ended_ = false;
    std::string received_;
};

// A server in this thread whose supervisor is a list of questions that the test answers.
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
    // To everyone who follows the events.
    void emit(std::string_view event);
    RawClient connect() const { return RawClient(directory_.socket_path()); }
    // Runs the server until `fact` holds; fails after 5 s.
    void run_until(const std::function<bool()>& fact);
    // What a request is answered with, headers and all.
    std::string answer_to(std::string_view request);
    // A connection of which this is the whole request, as its client that waits or does not read.
    RawClient ask(std::string_view request) const;
    // How often the server had something to do in `time`.
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

// How many descriptors this process has open.
std::size_t open_descriptors();

}  // namespace holdfast::api
