#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "poller.hpp"
#include "unique_fd.hpp"

namespace holdfast {

// Serves /livez and /readyz in plain HTTP/1.1, one request per connection. Not synchronised: use it on the control
// thread only. At most `max_clients` connections are open at a time, and slow clients are disconnected, so a client can
// affect only its own connection.
class Health {
  public:
    using Clock = std::chrono::steady_clock;

    // Binds at once with SO_REUSEPORT: all processes of the same user that use this address share it, and any of them
    // answers. `is_ready` decides the answer of /readyz. Throws std::system_error, std::invalid_argument.
    Health(std::string_view address, Poller& poller, std::function<bool()> is_ready);
    ~Health();
    Health(const Health&) = delete;
    Health& operator=(const Health&) = delete;

    // The first of the poller keys that it uses.
    static constexpr std::uint64_t first_key = 1000;
    void handle(const epoll_event& event);

    // Closes connections whose time is over. Returns when to call it again.
    std::optional<Clock::time_point> close_expired(Clock::time_point now);

  private:
    struct Client {
        UniqueFd fd;
        Clock::time_point end;
        std::string request;
        std::string response;
    };

    void accept_all();
    void pause_accepting();
    void serve(std::uint64_t key, Client& client);
    bool read_request(Client& client);
    std::string response_to(std::string_view request) const;

    Poller& poller_;
    const std::function<bool()> is_ready_;
    UniqueFd listener_;
    std::map<std::uint64_t, Client> clients_;
    std::uint64_t last_key_ = first_key;
    std::optional<Clock::time_point> paused_until_;
};

}  // namespace holdfast
