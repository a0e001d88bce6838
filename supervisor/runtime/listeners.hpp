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

// A listener in the view of one generation of workers: the socket and its name.
using ListenerId = Id<struct ListenerTag>;
struct ListenerUse {
    ListenerId id;
    std::string name;
    friend bool operator==(const ListenerUse&, const ListenerUse&) = default;
};
using ListenerUses = std::vector<ListenerUse>;  // in the order of --listen

// Owns the listening sockets of all generations that need them (invariant 1), and repairs them after workers have
// damaged them: revives a listener that was shut down, links an unlinked path again, and restores a lowered backlog.
// Each repair is logged, with the worker that stopped most recently.
//
// A reload changes the listeners in two phases: obtain() binds the new ones first; once the new generation serves,
// serve() closes those that only other generations used. A closed listener keeps its id and its port until no
// generation uses it any more.
class Listeners {
  public:
    Listeners(boost::asio::io_context& io, Log& log);
    ~Listeners();

    // Opens the listeners of the first generation and puts them in force.
    Result<void> open(const std::vector<ListenAddress>& addresses);
    // Starts to watch the listeners; nothing is repaired before.
    Result<void> watch();

    // Returns the listeners for these addresses: existing ones if they are open, otherwise new ones. On an error, newly
    // bound listeners are closed again.
    Result<ListenerUses> obtain(const std::vector<ListenAddress>& addresses);
    // Binds those listeners again that were closed, and returns them. On an error, newly bound listeners are closed
    // again.
    Result<ListenerUses> reopen(const ListenerUses& uses);
    void close_all(const ListenerUses& uses);
    // Puts these listeners in force and closes all others.
    void serve(const ListenerUses& uses);
    // Closes and forgets all listeners that are neither in force nor in `needed`.
    void keep_only(const std::vector<ListenerUses>& needed);
    // Applies backlog, mode and owner of these addresses to the listeners in force.
    void change_in_place(const std::vector<ListenAddress>& addresses);

    const ListenerUses& in_force() const { return in_force_; }
    std::vector<int> fds(const ListenerUses& uses) const;  // borrowed; -1 for a closed listener
    std::vector<core::ListenerStatus> status(const ListenerUses& uses) const;
    os::Ownership ownership(const ListenerUse& use) const;  // `adopted` for a closed listener

    // For the listeners in force.
    std::vector<int> fds() const { return fds(in_force_); }
    std::vector<std::string> names() const;
    std::vector<core::ListenerStatus> status() const { return status(in_force_); }

    void set_admission(core::Admission admission);
    // Applies only to listeners that are not in `uses`; `accept` applies to all that were refused this way. Listeners
    // that could not be restored for the workers that have them open (an abstract name, a path without a hard link, an
    // adopted one) are not refused: their clients wait in the queue.
    void set_removed_listener_admission(const ListenerUses& uses, core::Admission admission);

    // Stores which worker was told to stop, or ended, last. Messages about damaged listeners name it.
    void suspect(std::string who) { suspect_ = std::move(who); }

    // Restores lowered backlogs. Call it when workers may just have called listen().
    void check_backlogs();

  private:
    struct Entry {
        ListenerId id;             // also the key in `watch_`
        ListenAddress configured;  // as configured: with port 0, systemd or fd:N
        os::Listener listener;
        std::uint64_t revived = 0;
        std::uint64_t restored = 0;  // count of restored backlogs and paths, to limit the log
        Descriptor path_watch;       // borrowed descriptor
        core::Admission admission = core::Admission::accept;
    };
    struct Closed {
        ListenerId id;
        ListenAddress configured;
        ListenAddress address;  // with the actual port
    };

    const Entry* find(ListenerId id) const;
    Entry* find(ListenerId id);
    ListenerUses find_same(const ListenAddress& address, const ListenerUses& taken) const;
    Result<ListenerUses> rebind_or_bind(const ListenAddress& address);
    Result<ListenerUses> bind(const ListenAddress& address, const ListenAddress& configured,
                              std::optional<ListenerId> known = std::nullopt);
    void add_entry(Entry entry);
    void change_in_place(Entry& entry, const ListenAddress& address);
    void close(ListenerId id);
    Result<void> watch(Entry& entry);
    void await_shutdown();
    void watch_path(Entry& entry);
    void await_unlink(Entry& entry);
    void revive(Entry& entry);
    bool refuses(const Entry& entry) const;
    void apply_admission(Entry& entry);
    os::Revival listen_again(Entry& entry);
    os::UnixPath::State restore_path(Entry& entry);
    void replace_socket(Entry& entry);
    std::string suspicion() const;

    boost::asio::io_context& io_;
    Log& log_;
    std::list<Entry> entries_;  // a list, because handlers keep references
    std::vector<Closed> closed_;
    ListenerUses in_force_;
    ListenerId last_id_;
    std::optional<os::ListenerWatch> watch_;
    Descriptor watch_descriptor_;  // borrowed descriptor
    core::Admission admission_ = core::Admission::accept;
    std::string suspect_;
};

}  // namespace holdfast::runtime
