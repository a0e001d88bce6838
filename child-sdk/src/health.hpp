#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "address.hpp"
#include "poller.hpp"
#include "unique_fd.hpp"

namespace holdfast {

// Serves /livez and /readyz in plain HTTP/1.1, one request per connection. At most `max_clients` connections are open
// at a time, and slow clients are disconnected, so a client can affect only its own connection.
//
// All processes of the same user that use the address share it, and the kernel chooses who gets a probe. A probe asks
// about the host, so a process that is not ready, or that leaves and has a successor, does not listen where another one
// does. Thread-safe; but all functions except join() are called by the control thread.
class Health {
  public:
    using Clock = std::chrono::steady_clock;

    // Listens at once if no other process serves the address, else checks that it can be bound. `is_ready` decides the
    // answer of /readyz; it is called with the lock held. Throws std::system_error, std::invalid_argument.
    Health(std::string_view address, Poller& poller, std::function<bool()> is_ready);
    ~Health();
    Health(const Health&) = delete;
    Health& operator=(const Health&) = delete;

    // The first of the poller keys that it uses.
    static constexpr std::uint64_t first_key = 1000;
    void handle(const epoll_event& event);

    // Listens, unless it does so already or has left. Probes wait in the queue until accept_probes(). Logs a failure.
    void join();
    void accept_probes();

    // Stops listening after handshake_period, because another process answers. Until then, probes get the answer of
    // this moment.
    void leave();

    // Whether it has left, and probes may still come or wait for an answer. Ends after handshake_period.
    bool is_closing();

    // Undoes leave(), as join() does.
    void come_back();

    // Closes connections whose time is over, and the listener if it has left. Returns when to call it again.
    std::optional<Clock::time_point> close_expired(Clock::time_point now);

  private:
    struct Client {
        UniqueFd fd;
        Clock::time_point end;
        std::string request;
        std::string response;
    };

    void listen();
    void close_listener();
    void accept_all();
    void pause_accepting();
    void serve(std::uint64_t key, Client& client);
    bool read_request(Client& client);
    std::string response_to(std::string_view request) const;

    Poller& poller_;
    const Address address_;
    const std::function<bool()> is_ready_;
    std::mutex mutex_;  // guards all members below
    UniqueFd listener_;
    bool is_polled_ = false;
    enum class Left { no, before_join, after_join };
    Left left_ = Left::no;
    std::optional<Clock::time_point> closes_at_;
    std::optional<bool> answer_;  // of /readyz, while it leaves; nothing: that of `is_ready_`
    std::map<std::uint64_t, Client> clients_;
    std::uint64_t last_key_ = first_key;
    std::optional<Clock::time_point> paused_until_;
};

}  // namespace holdfast
