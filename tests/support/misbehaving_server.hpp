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

// What is done to one request. `honest` answers; the others are what a client must see for what they are.
enum class Misdeed : std::size_t {
    honest,
    honest_then_end,  // the answer and the connection's end arrive together, without `Connection: close`
    honest_closing,   // answered with `Connection: close`
    reset,            // before any byte
    end,              // before any byte
    truncate_end,
    truncate_reset,
    hang,
    status_500,
    garbage,
};
inline constexpr std::size_t misdeeds = static_cast<std::size_t>(Misdeed::garbage) + 1;

enum class Transfer { counted, chunked, until_end };

// A server on 127.0.0.1 that mistreats its clients by plan and keeps count: what the strict client saw is compared
// with what was done, one for one. One thread a connection.
class MisbehavingServer {
  public:
    // `plan(n)` says what the n-th request (from 0, over all connections) suffers.
    MisbehavingServer(std::function<Misdeed(std::uint64_t)> plan, Transfer transfer = Transfer::counted);
    ~MisbehavingServer();
    MisbehavingServer(const MisbehavingServer&) = delete;
    MisbehavingServer& operator=(const MisbehavingServer&) = delete;

    const std::string& address() const { return address_; }
    // Requests that met this fate as the first of their connection, and as a later one.
    std::uint64_t on_fresh(Misdeed misdeed) const { return done_[0][static_cast<std::size_t>(misdeed)]; }
    std::uint64_t on_reused(Misdeed misdeed) const { return done_[1][static_cast<std::size_t>(misdeed)]; }
    std::uint64_t total(Misdeed misdeed) const { return on_fresh(misdeed) + on_reused(misdeed); }

  private:
    void accept_all();
    void serve(int connection_fd);
    bool commit(int connection_fd, Misdeed misdeed) const;
    std::string answer(Misdeed misdeed) const;

    std::function<Misdeed(std::uint64_t)> plan_;
    Transfer transfer_;
    std::string address_;
    int listener_fd_ = -1;
    std::atomic<std::uint64_t> requests_{0};
    std::array<std::array<std::atomic<std::uint64_t>, misdeeds>, 2> done_{};
    std::mutex mutex_;
    std::vector<std::thread> threads_;
    std::vector<int> open_fds_;
    std::thread acceptor_;
};

}  // namespace holdfast::test
