#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "core/action.hpp"
#include "core/status.hpp"
#include "os/listener.hpp"
#include "os/listener_watch.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/log.hpp"

namespace holdfast::runtime {

// Holds the listening sockets from the first to the last moment of the service (invariant 1), and mends what workers
// do to them: a listener that one's library shut down is revived, a path that one unlinked is linked back, a backlog
// that one lowered is restored. Each time the log says so, and who had just stopped.
class Listeners {
  public:
    Listeners(boost::asio::io_context& io, Log& log);
    ~Listeners();

    Result<void> open(const std::vector<ListenAddress>& addresses);
    // Waits for what workers may do; until then nothing is mended.
    Result<void> watch();

    std::vector<int> fds() const;            // borrowed, in the order of --listen
    std::vector<std::string> names() const;  // the same order
    std::vector<core::ListenerStatus> status() const;

    void set_doors(core::Doors doors);

    // Who was told to stop or ended last: the first suspect when something has happened to a listener.
    void suspect(std::string who) { suspect_ = std::move(who); }

    // Looks whether somebody lowered a backlog; for moments at which workers have just called listen().
    void look_at_backlogs();

  private:
    struct Held {
        std::uint64_t key = 0;  // in `watch_`
        os::Listener listener;
        std::uint64_t revived = 0;
        std::uint64_t restored = 0;  // backlogs and paths, for thinning out the log
        Descriptor path_watch;       // owns nothing
    };

    void await_shutdown();
    void watch_path(Held& held);
    void await_unlink(Held& held);
    void revive(Held& held);
    os::Revival listen_again(Held& held);
    os::UnixPath::State restore_path(Held& held);
    void replace_socket(Held& held);
    std::string suspicion() const;

    boost::asio::io_context& io_;
    Log& log_;
    std::list<Held> held_;  // a list: handlers keep references
    std::optional<os::ListenerWatch> watch_;
    Descriptor watch_descriptor_;  // owns nothing
    core::Doors doors_ = core::Doors::accept;
    std::string suspect_;
};

}  // namespace holdfast::runtime
