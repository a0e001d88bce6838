#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "core/action.hpp"
#include "core/status.hpp"
#include "os/listener.hpp"
#include "os/listener_watch.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/log.hpp"

namespace holdfast::runtime {

// A listener as the workers of one generation know it: which socket, and by what name.
using ListenerId = Id<struct ListenerTag>;
struct ListenerUse {
    ListenerId id;
    std::string name;
    friend bool operator==(const ListenerUse&, const ListenerUse&) = default;
};
using ListenerUses = std::vector<ListenerUse>;  // in the order of --listen

// Holds the listening sockets of all generations that need them (invariant 1), and mends what workers do to them: a
// listener that one's library shut down is revived, a path that one unlinked is linked back, a backlog that one lowered
// is restored. Each time the log says so, and who had just stopped.
//
// A reload changes what is held in two phases: first obtain() binds what is new, and when the new generation serves,
// serve() closes what only others used. What was closed keeps its id, and its port, until nobody uses it any more.
class Listeners {
  public:
    Listeners(boost::asio::io_context& io, Log& log);
    ~Listeners();

    // Those of the first generation, which are in force.
    Result<void> open(const std::vector<ListenAddress>& addresses);
    // Waits for what workers may do; until then nothing is mended.
    Result<void> watch();

    // The same listeners where they are held, new ones else. An error leaves nothing bound that was not before.
    Result<ListenerUses> obtain(const std::vector<ListenAddress>& addresses);
    // Binds those again that were closed, and says which. An error leaves nothing bound that was not before.
    Result<ListenerUses> reopen(const ListenerUses& uses);
    void close_all(const ListenerUses& uses);
    // These are in force from now on, and the others are closed.
    void serve(const ListenerUses& uses);
    // Closes and forgets all that is neither in force nor in `needed`.
    void keep_only(const std::vector<ListenerUses>& needed);
    // Backlog, mode and owner of those in force, as these addresses have them.
    void change_in_place(const std::vector<ListenAddress>& addresses);

    const ListenerUses& in_force() const { return in_force_; }
    std::vector<int> fds(const ListenerUses& uses) const;  // borrowed; -1 for one that is closed
    std::vector<core::ListenerStatus> status(const ListenerUses& uses) const;

    // Of those in force.
    std::vector<int> fds() const { return fds(in_force_); }
    std::vector<std::string> names() const;
    std::vector<core::ListenerStatus> status() const { return status(in_force_); }

    void set_admission(core::Admission admission);
    // Of those only that are not in `uses`. `accept`: of all that were refused so. A listener that could not come back
    // for the workers that hold it (an abstract name, a path without a hard link, an adopted one) is left alone: its
    // clients wait in its queue.
    void set_removed_listener_admission(const ListenerUses& uses, core::Admission admission);

    // Who was told to stop or ended last: the first suspect when something has happened to a listener.
    void suspect(std::string who) { suspect_ = std::move(who); }

    // Looks whether somebody lowered a backlog; for moments at which workers have just called listen().
    void check_backlogs();

  private:
    struct Held {
        ListenerId id;             // and the key in `watch_`
        ListenAddress configured;  // port 0, systemd and fd:N as they were written
        os::Listener listener;
        std::uint64_t revived = 0;
        std::uint64_t restored = 0;  // backlogs and paths, for thinning out the log
        Descriptor path_watch;       // owns nothing
        core::Admission admission = core::Admission::accept;
    };
    struct Closed {
        ListenerId id;
        ListenAddress configured;
        ListenAddress address;  // with the port that it had
    };

    const Held* find(ListenerId id) const;
    Held* find(ListenerId id);
    ListenerUses find_same(const ListenAddress& address, const ListenerUses& taken) const;
    Result<ListenerUses> bind_again_or_anew(const ListenAddress& address);
    Result<ListenerUses> bind(const ListenAddress& address, const ListenAddress& configured,
                              std::optional<ListenerId> known = std::nullopt);
    void hold(Held held);
    void change_in_place(Held& held, const ListenAddress& address);
    void close(ListenerId id);
    Result<void> watch(Held& held);
    void await_shutdown();
    void watch_path(Held& held);
    void await_unlink(Held& held);
    void revive(Held& held);
    bool refuses(const Held& held) const;
    void apply_admission(Held& held);
    os::Revival listen_again(Held& held);
    os::UnixPath::State restore_path(Held& held);
    void replace_socket(Held& held);
    std::string suspicion() const;

    boost::asio::io_context& io_;
    Log& log_;
    std::list<Held> held_;  // a list: handlers keep references
    std::vector<Closed> closed_;
    ListenerUses in_force_;
    ListenerId last_id_;
    std::optional<os::ListenerWatch> watch_;
    Descriptor watch_descriptor_;  // owns nothing
    core::Admission admission_ = core::Admission::accept;
    std::string suspect_;
};

}  // namespace holdfast::runtime
