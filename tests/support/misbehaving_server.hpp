#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::test {

// How the server treats one request. `correct` answers it; the client must classify every other one correctly.
enum class Behaviour : std::size_t {
    correct,
    correct_then_close,        // the response and the end of stream arrive together, without `Connection: close`
    correct_connection_close,  // answered with `Connection: close`
    reset,                     // before any byte
    close,                     // before any byte
    truncate_close,
    truncate_reset,
    hang,
    status_500,
    garbage,
};
inline constexpr std::size_t behaviour_count = static_cast<std::size_t>(Behaviour::garbage) + 1;

enum class BodyFraming { content_length, chunked, until_close };

// A server on 127.0.0.1 that misbehaves as planned and counts what it did, so that the counts of the strict client can
// be compared with its own. One thread per connection.
class MisbehavingServer {
  public:
    // `plan(n)` gives the behaviour for the n-th request (from 0, over all connections).
    MisbehavingServer(std::function<Behaviour(std::uint64_t)> plan, BodyFraming framing = BodyFraming::content_length);
    ~MisbehavingServer();
    MisbehavingServer(const MisbehavingServer&) = delete;
    MisbehavingServer& operator=(const MisbehavingServer&) = delete;

    const std::string& address() const { return address_; }
    // The number of requests with this behaviour: first requests of a connection, and later ones.
    std::uint64_t on_fresh(Behaviour behaviour) const { return done_[0][static_cast<std::size_t>(behaviour)]; }
    std::uint64_t on_reused(Behaviour behaviour) const { return done_[1][static_cast<std::size_t>(behaviour)]; }
    std::uint64_t total(Behaviour behaviour) const { return on_fresh(behaviour) + on_reused(behaviour); }

  private:
    void accept_all();
    void serve(int connection_fd);
    bool respond(int connection_fd, Behaviour behaviour) const;
    std::string answer(Behaviour behaviour) const;

    std::function<Behaviour(std::uint64_t)> plan_;
    BodyFraming framing_;
    std::string address_;
    int listener_fd_ = -1;
    std::atomic<std::uint64_t> requests_{0};
    std::array<std::array<std::atomic<std::uint64_t>, behaviour_count>, 2> done_{};
    std::mutex mutex_;
    std::vector<std::thread> threads_;
    std::vector<int> open_fds_;
    std::thread acceptor_;
};

}  // namespace holdfast::test
