#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "os/errno_error.hpp"
#include "os/listener.hpp"

namespace holdfast::os {

Result<void> change_backlog(Listener& listener, std::optional<int> backlog) {
    const int most = largest_backlog();
    const int wanted = backlog.value_or(most);
    const int in_effect = std::min(wanted, most);
    // A listener that is shut down at present gets the new backlog when it listens again.
    if (!is_shut_down(listener) && ::listen(listener.fd.get(), in_effect) != 0) {
        return errno_error("change the backlog of " + listener.bound);
    }
    listener.address.backlog = backlog;
    listener.backlog = in_effect;
    listener.backlog_cut = wanted > most ? std::optional(wanted) : std::nullopt;
    return {};
}

Result<void> change_owner(Listener& listener, const ListenAddress& like) {
    if (listener.path) {
        const auto changed = listener.path->change_owner({like.mode, like.user, like.group});
        if (!changed) return error("cannot change the owner of " + listener.bound + ": " + changed.error().text);
    }
    listener.address.mode = like.mode;
    listener.address.user = like.user;
    listener.address.group = like.group;
    return {};
}

}  // namespace holdfast::os
