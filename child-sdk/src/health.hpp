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

// /livez and /readyz for whoever asks from outside: a few short answers in plain HTTP/1.1, one a connection. Not
// synchronised: all on the control thread. Whatever a client does costs it a connection of its own, and at most
// `max_clients` of them; a slow one is dropped.
class Health {
  public:
    using Clock = std::chrono::steady_clock;

    // Binds at once, shared with everybody of the same user who names the address (SO_REUSEPORT): with several workers
    // any of them answers. Throws std::system_error, std::invalid_argument. `is_ready` decides about /readyz.
    Health(std::string_view address, Poller& poller, std::function<bool()> is_ready);
    ~Health();
    Health(const Health&) = delete;
    Health& operator=(const Health&) = delete;

    // The keys that it uses with the poller begin here.
    static constexpr std::uint64_t first_key = 1000;
    void handle(const epoll_event& event);

    // Drops who is too slow; when to come again.
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
