#include "os/bindable.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/credentials.hpp"
#include "os/errno_error.hpp"
#include "os/launch_spec.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {
namespace {

BindProblem bind_problem(std::string text, std::vector<SocketHolder> holders = {}) {
    return {std::move(text), std::move(holders)};
}

std::optional<BindProblem> try_to_bind(const ListenAddress& address, const SocketAddress& socket_address) {
    const UniqueFd socket(::socket(socket_address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return bind_problem(errno_error("create a socket").text);
    const int on = 1;
    const int only_v6 = address.v6only.value_or(false) ? 1 : 0;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (socket_address.family() == AF_INET6)
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
    if (::bind(socket.get(), socket_address.get(), socket_address.length) == 0) return std::nullopt;
    const int failure = errno;
    auto holders = failure == EADDRINUSE ? find_holders(address) : std::vector<SocketHolder>{};
    return bind_problem(errno_text(failure), std::move(holders));
}

std::optional<BindProblem> check_internet(const ListenAddress& address) {
    const auto socket_address = internet_address(address.host.empty() ? "::" : address.host, address.port);
    if (!socket_address) return bind_problem(socket_address.error().text);
    return try_to_bind(address, *socket_address);
}

std::optional<BindProblem> check_owner(const ListenAddress& address) {
    if (address.user.empty() && address.group.empty()) return std::nullopt;
    const auto account = find_account(address.user, address.group);
    if (const auto* failure = std::get_if<LaunchFailure>(&account)) return bind_problem(describe(*failure));
    return std::nullopt;
}

std::optional<BindProblem> check_path(const ListenAddress& address) {
    if (auto holders = find_holders(address); !holders.empty()) return bind_problem("Address already in use", holders);
    const std::string folder = address.path.substr(0, address.path.rfind('/') + 1);
    if (::access(folder.c_str(), W_OK | X_OK) != 0) return bind_problem(folder + ": " + errno_text(errno));
    struct stat entry {};
    if (::lstat(address.path.c_str(), &entry) == 0 && !S_ISSOCK(entry.st_mode)) {
        return bind_problem("the path exists and is not a socket");
    }
    return check_owner(address);
}

std::optional<BindProblem> check_descriptor(const ListenAddress& address) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(address.descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) {
        return bind_problem(errno_text(errno));
    }
    return listens != 0 ? std::nullopt : std::optional(bind_problem("the socket is not listening"));
}

}  // namespace

std::optional<BindProblem> find_bind_problem(const ListenAddress& address) {
    switch (address.family) {
        case Family::inet:
            return check_internet(address);
        case Family::unix_path:
            return check_path(address);
        case Family::unix_abstract: {
            const auto socket_address = abstract_address(address.path);
            return socket_address ? try_to_bind(address, *socket_address)
                                  : std::optional(bind_problem(socket_address.error().text));
        }
        case Family::descriptor:
            return check_descriptor(address);
        case Family::systemd:
            return std::nullopt;  // the sockets exist only when the service manager starts the process
    }
    return std::nullopt;
}

}  // namespace holdfast::os
