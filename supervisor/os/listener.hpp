#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"
#include "os/unix_path.hpp"

namespace holdfast::os {

enum class Ownership {
    ours,     // bound by us: may be shut down, unlinked and bound again
    adopted,  // from fd:N or systemd: shared with others, who may want clients to wait in its queue
};

// A bound, listening socket. It stays open in the supervisor until the service ends; workers inherit it. O_NONBLOCK
// belongs to the open file description that all of them share: it is set before the first launch, if requested, and
// never changed afterwards.
struct Listener {
    UniqueFd fd;  // close-on-exec
    ListenAddress address;
    std::string name;              // the name in LISTEN_FDNAMES
    SocketAddress socket_address;  // the address that the socket is bound to
    std::string bound;             // the same as text: "127.0.0.1:41233", "[::]:8080", "unix:/run/app.sock"
    std::uint16_t port = 0;        // TCP: the actual port
    Ownership ownership = Ownership::ours;
    std::optional<int> backlog;      // the initial backlog; nullopt for an adopted listener whose backlog is not known
    std::optional<int> backlog_cut;  // the requested backlog, if somaxconn limits it to `backlog`
    std::optional<UnixPath> path;    // for unix paths that we bound
};

// Opens the listeners of one `--listen`: one, or for "systemd" all that systemd passed. For a unix path the caller must
// hold the lock of the service. On EADDRINUSE the error names the process that uses the address if /proc shows it.
// Adopting requires a listening stream socket other than descriptors 0, 1 and 2.
Result<std::vector<Listener>> open_listeners(const ListenAddress& address);

// Refuses new clients at once (invariant 1); called when no worker accepts any more. TCP: shutdown(), which also resets
// the connections in the queue. Unix path: unlinks the path. Abstract name: shutdown(), which cannot be undone. For
// both kinds of unix sockets the connections in the queue are closed. Does nothing to an adopted listener and returns
// false.
bool refuse(Listener& listener);

// Whether `listen_again` can undo `refuse` for processes that have the socket open: true for TCP and for a unix path
// that can be unlinked and restored. Other sockets are shut down, which is final for these processes. An adopted
// listener is never refused.
bool can_refuse_temporarily(const Listener& listener);

enum class Revival {
    revived,  // accepts again; workers that have it open continue to use it
    // a new socket is bound to the same name; current workers have the dead one open, new workers get this one
    reopened,
    failed,  // errno says why; the listener is unchanged
};

// Undoes `refuse`, and revives a listener that a worker has shut down. TCP: listen() again, on the same port even if
// the kernel chose it. Unix path: the path is linked again. A unix socket that was shut down cannot be revived; a new
// socket is bound to its name, and `fd` then refers to another description, so remove the old one from ListenerWatch
// first. An abstract name is in use (EADDRINUSE) until every worker that has the dead socket open has exited.
Revival listen_again(Listener& listener);

// Whether the socket was shut down, by us or by a worker: no client can connect.
bool is_shut_down(const Listener& listener);

// The backlog now in effect (workers change it by calling listen(): Node to 511, asyncio to 100), and the number of
// connections in the queue. nullopt if the kernel does not report them.
struct Queue {
    int backlog = 0;
    int waiting = 0;
};
std::optional<Queue> inspect_queue(const Listener& listener);

// Sets `backlog` again, if it is known. On false errno says why.
bool restore_backlog(const Listener& listener);

// Settings that can change while the socket is bound: the backlog (nullopt: the largest that the kernel allows), and
// mode, user and group of a unix path, taken from `like` (an empty user or group means the supervisor's own).
Result<void> change_backlog(Listener& listener, std::optional<int> backlog);
Result<void> change_owner(Listener& listener, const ListenAddress& like);

// The limit of the kernel: net.core.somaxconn.
int largest_backlog();

}  // namespace holdfast::os
