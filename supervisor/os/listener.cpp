#include "os/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/parse.hpp"
#include "os/errno_error.hpp"
#include "os/read_file.hpp"
#include "os/socket_activation.hpp"
#include "os/socket_holder.hpp"

namespace holdfast::os {
namespace {

constexpr int default_somaxconn = 4096;  // Linux since 5.4; used when /proc is not readable

Result<UniqueFd> make_socket(int family, const ListenAddress& address) {
    const int flags = SOCK_CLOEXEC | (address.nonblock ? SOCK_NONBLOCK : 0);
    UniqueFd fd{::socket(family, SOCK_STREAM | flags, 0)};
    if (!fd) return errno_error("create a socket");
    return fd;
}

Result<void> start_listening(Listener& listener) {
    const int most = largest_backlog();
    const int wanted = listener.address.backlog.value_or(most);
    if (::listen(listener.fd.get(), wanted) != 0) return error(errno_text(errno), errno);
    listener.backlog = std::min(wanted, most);
    if (wanted > most) listener.backlog_cut = wanted;
    return {};
}

Result<void> describe_address(Listener& listener) {
    const auto socket_address = bound_address(listener.fd.get());
    if (!socket_address) return socket_address.error();
    listener.socket_address = *socket_address;
    listener.bound = to_text(*socket_address);
    listener.port = port_of(*socket_address);
    return {};
}

// Adds to the errno of bind or listen what it means for the address.
Error binding_error(const ListenAddress& address, int error_number) {
    std::string text = errno_text(error_number);
    if (error_number == EADDRINUSE) {
        const std::string holders = describe(find_holders(address));
        text += holders.empty() ? ", held by a process that is not visible from here" : ", held by " + holders;
    }
    if (error_number == EACCES && address.port != 0) text += ": a privileged port needs root or CAP_NET_BIND_SERVICE";
    if (error_number == EADDRNOTAVAIL) text += ": no interface of this machine has this address";
    return error(text, error_number);
}

Result<UniqueFd> bind_internet(const SocketAddress& socket_address, const ListenAddress& address) {
    auto fd = make_socket(socket_address.family(), address);
    if (!fd) return fd;
    const int on = 1;
    ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool is_every_address = address.host.empty();
    if (socket_address.family() == AF_INET6 && (is_every_address || address.v6only)) {
        const int v6only = address.v6only.value_or(false) ? 1 : 0;
        ::setsockopt(fd->get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
    }
    if (::bind(fd->get(), socket_address.get(), socket_address.length) != 0) return binding_error(address, errno);
    return fd;
}

// A socket loses a port that the kernel chose at shutdown(), but keeps a port that was requested explicitly. Therefore
// the kernel chooses a port for a first socket, and a second socket requests the same port while the first is still
// open. SO_REUSEADDR allows both to be bound to the port as long as neither listens.
Result<UniqueFd> bind_keeping_port(const std::string& host, const ListenAddress& address) {
    const auto socket_address = internet_address(host, address.port);
    if (!socket_address) return socket_address.error();
    auto first = bind_internet(*socket_address, address);
    if (!first || address.port != 0) return first;
    const auto chosen = bound_address(first->get());
    if (!chosen) return chosen.error();
    return bind_internet(*chosen, address);
}

// The errnos that bind returns when IPv6 is disabled.
bool means_no_ipv6(int error_number) { return error_number == EAFNOSUPPORT || error_number == EADDRNOTAVAIL; }

Result<UniqueFd> bind_host(const ListenAddress& address) {
    if (!address.host.empty()) return bind_keeping_port(address.host, address);
    auto both = bind_keeping_port("::", address);
    if (both || address.v6only.value_or(false) || !means_no_ipv6(both.error().code)) return both;
    return bind_keeping_port("0.0.0.0", address);
}

Result<Listener> open_internet(const ListenAddress& address) {
    constexpr int attempts = 8;
    Error problem;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        Listener listener;
        listener.address = address;
        auto fd = bind_host(address);
        if (!fd) return fd.error();
        listener.fd = std::move(*fd);
        const auto started = start_listening(listener);
        if (started) {
            const auto described = describe_address(listener);
            if (!described) return described.error();
            return listener;
        }
        problem = binding_error(address, started.error().code);
        // Another process may have started to listen on the chosen port in the meantime: try another port.
        if (address.port != 0 || problem.code != EADDRINUSE) break;
    }
    return problem;
}

Result<Listener> open_unix(const ListenAddress& address) {
    Listener listener;
    listener.address = address;
    auto fd = make_socket(AF_UNIX, address);
    if (!fd) return fd.error();
    listener.fd = std::move(*fd);
    if (address.family == Family::unix_path) {
        auto path = UnixPath::bind(listener.fd.get(), address.path, {address.mode, address.user, address.group});
        if (!path) return path.error();
        listener.path = std::move(*path);
    } else {
        const auto name = abstract_address(address.path);
        if (!name) return name.error();
        if (::bind(listener.fd.get(), name->get(), name->length) != 0) return binding_error(address, errno);
    }
    if (auto started = start_listening(listener); !started) return started.error();
    if (auto described = describe_address(listener); !described) return described.error();
    return listener;
}

int option(int fd, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

// Takes over a socket that is already listening.
Result<Listener> adopt(UniqueFd fd, const ListenAddress& address) {
    Listener listener;
    listener.address = address;
    listener.ownership = Ownership::adopted;
    listener.fd = std::move(fd);
    const int type = option(listener.fd.get(), SO_TYPE);
    if (type < 0) return error("it is not a socket");
    if (type != SOCK_STREAM) return error("it is not a stream socket, and other types are not supported");
    if (option(listener.fd.get(), SO_ACCEPTCONN) != 1) return error("the socket is not listening");
    const int flags = ::fcntl(listener.fd.get(), F_GETFL);
    if (address.nonblock && ::fcntl(listener.fd.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
        return errno_error("set it to non-blocking mode");
    }
    if (address.backlog) {
        if (auto started = start_listening(listener); !started) return started.error();
    } else if (const auto queue = inspect_queue(listener)) {
        listener.backlog = queue->backlog;
    }
    if (auto described = describe_address(listener); !described) return described.error();
    const bool is_local = listener.socket_address.family() == AF_UNIX;
    listener.address.transport = is_local ? Transport::local : Transport::tcp;
    return listener;
}

Result<Listener> adopt_number(const ListenAddress& address) {
    const int fd = address.descriptor;
    if (fd < 3) return error("0, 1 and 2 are the standard streams");
    const int flags = ::fcntl(fd, F_GETFD);
    // A descriptor that was passed to us cannot be close-on-exec, while all that we open ourselves are.
    if (flags < 0 || (flags & FD_CLOEXEC) != 0) return error("no such descriptor was passed to holdfast");
    if (::fcntl(fd, F_SETFD, flags | FD_CLOEXEC) != 0) return errno_error("set it to close-on-exec");
    return adopt(UniqueFd(fd), address);
}

Result<std::vector<Listener>> adopt_passed(const ListenAddress& address) {
    auto sockets = take_passed_sockets();
    if (!sockets) return sockets.error();
    if (sockets->empty()) {
        return error(
            "no socket was passed (LISTEN_FDS and LISTEN_PID); check that the .socket unit is started and "
            "belongs to this service");
    }
    std::vector<Listener> listeners;
    for (PassedSocket& socket : *sockets) {
        const std::string prefix = "descriptor " + std::to_string(socket.fd.get()) + ": ";
        auto listener = adopt(std::move(socket.fd), address);
        if (!listener) return error(prefix + listener.error().text, listener.error().code);
        listener->address.name = std::move(socket.name);
        listener->address.text = listener->bound;
        listener->name = listener_name(listener->address);
        listeners.push_back(std::move(*listener));
    }
    return listeners;
}

Result<Listener> open_one(const ListenAddress& address) {
    if (address.family == Family::inet) return open_internet(address);
    if (address.family == Family::descriptor) return adopt_number(address);
    return open_unix(address);
}

Result<std::vector<Listener>> open_any(const ListenAddress& address) {
    if (address.family == Family::systemd) return adopt_passed(address);
    auto listener = open_one(address);
    if (!listener) return listener.error();
    listener->name = listener_name(address);
    std::vector<Listener> listeners;
    listeners.push_back(std::move(*listener));
    return listeners;
}

}  // namespace

int largest_backlog() {
    const auto text = read_file("/proc/sys/net/core/somaxconn", 64);
    if (!text) return default_somaxconn;
    const auto number = parse_count(text->substr(0, text->find('\n')), 1, 2147483647);
    return number ? static_cast<int>(*number) : default_somaxconn;
}

Result<std::vector<Listener>> open_listeners(const ListenAddress& address) {
    auto listeners = open_any(address);
    if (!listeners)
        return error("cannot listen on " + address.text + ": " + listeners.error().text, listeners.error().code);
    return listeners;
}

}  // namespace holdfast::os
