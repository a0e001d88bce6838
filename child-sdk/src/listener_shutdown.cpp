#include "listener_shutdown.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "address.hpp"

namespace holdfast {

namespace {

// A queue that the program is emptying is checked again soon, one that nobody empties rarely.
constexpr std::chrono::milliseconds shortest_interval{1};
constexpr std::chrono::milliseconds longest_interval{100};

bool is_local(int fd) { return address_of(fd).storage.ss_family == AF_UNIX; }

// The path that the socket is bound to, absolute because the program may change its directory; empty if it has none.
std::string path_of(int fd) {
    const Address address = address_of(fd);
    const auto& name = reinterpret_cast<const sockaddr_un&>(address.storage);
    if (name.sun_family != AF_UNIX || address.length <= offsetof(sockaddr_un, sun_path) || name.sun_path[0] == '\0') {
        return "";
    }
    std::error_code failed;
    return std::filesystem::absolute(to_string(address).substr(std::string_view("unix:").size()), failed).string();
}

}  // namespace

bool drop_new_connections(int fd) {
    constexpr std::uint32_t flags_offset = 13, syn = 0x02, syn_or_ack = 0x12, everything = 0xffffffff;
    std::array<sock_filter, 5> program{
        sock_filter{.code = BPF_LD | BPF_B | BPF_ABS, .jt = 0, .jf = 0, .k = flags_offset},
        sock_filter{.code = BPF_ALU | BPF_AND | BPF_K, .jt = 0, .jf = 0, .k = syn_or_ack},
        sock_filter{.code = BPF_JMP | BPF_JEQ | BPF_K, .jt = 0, .jf = 1, .k = syn},
        sock_filter{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0},
        sock_filter{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = everything},
    };
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

void accept_new_connections(int fd) {
    const int ignored = 0;
    ::setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
}

std::optional<ListenerShutdown::Inode> ListenerShutdown::inode_of(int fd) {
    struct statx status {};
    // Not fstat(2): the program may close the number meanwhile, which ThreadSanitizer would report.
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_INO, &status) != 0) return std::nullopt;
    return Inode{makedev(status.stx_dev_major, status.stx_dev_minor), status.stx_ino};
}

std::optional<ListenerShutdown::Inode> ListenerShutdown::inode_at(const std::string& path) {
    struct stat status {};
    if (path.empty() || ::lstat(path.c_str(), &status) != 0) return std::nullopt;
    return Inode{status.st_dev, status.st_ino};
}

void ListenerShutdown::add(int fd, Origin origin) {
    const auto inode = inode_of(fd);
    if (!inode) return;
    std::string path = path_of(fd);
    const auto path_inode = inode_at(path);
    if (!path_inode) path.clear();
    const std::lock_guard lock(mutex_);
    sockets_.push_back({.fd = fd,
                        .inode = *inode,
                        .origin = origin,
                        .path = std::move(path),
                        .path_inode = path_inode.value_or(Inode{}),
                        .copy = {}});
    if (has_begun_) keep_out();
}

ListenerShutdown::Handshakes ListenerShutdown::begin() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(has_begun_, true)) return Handshakes::none;
    interval_ = shortest_interval;
    keep_out();
    const bool has_tcp =
        std::ranges::any_of(sockets_, [](const Socket& socket) { return socket.copy && !is_local(socket.copy.get()); });
    return has_tcp ? Handshakes::pending : Handshakes::none;
}

// Copies each descriptor first and then checks the copy, because the program may close the number at any moment.
// Without a free descriptor the copy is made later.
void ListenerShutdown::keep_out() {
    std::erase_if(sockets_, [](Socket& socket) {
        if (socket.copy) return false;
        socket.copy = UniqueFd(::fcntl(socket.fd, F_DUPFD_CLOEXEC, 0));
        if (!socket.copy) return errno != EMFILE && errno != ENFILE;
        if (inode_of(socket.copy.get()) != socket.inode) return true;
        keep_out(socket);
        return false;
    });
}

void ListenerShutdown::keep_out(Socket& socket) {
    if (!is_local(socket.copy.get())) {
        drop_new_connections(socket.copy.get());
    } else if (inode_at(socket.path) == socket.path_inode) {
        ::unlink(socket.path.c_str());
    }
}

std::optional<ListenerShutdown::Clock::time_point> ListenerShutdown::shut_down_empty(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (!has_begun_) return std::nullopt;
    keep_out();
    std::erase_if(sockets_, [](const Socket& socket) {
        if (!socket.copy || (!is_closed_by_program(socket) && !is_empty(socket))) return false;
        shut_down(socket);
        return true;
    });
    if (sockets_.empty()) return std::nullopt;
    const auto next = now + interval_;
    interval_ = std::min<Clock::duration>(interval_ * 2, longest_interval);
    return next;
}

void ListenerShutdown::shut_down_all() {
    const std::lock_guard lock(mutex_);
    if (!has_begun_) return;
    keep_out();
    for (const Socket& socket : sockets_) {
        if (socket.copy) shut_down(socket);
    }
    sockets_.clear();
}

bool ListenerShutdown::is_closed_by_program(const Socket& socket) { return inode_of(socket.fd) != socket.inode; }

// Also true if another process has shut it down.
bool ListenerShutdown::is_empty(const Socket& socket) {
    pollfd queue{.fd = socket.copy.get(), .events = POLLIN | POLLRDHUP, .revents = 0};
    return ::poll(&queue, 1, 0) >= 0 && queue.revents != POLLIN;
}

// A client of an abstract unix address can get into the queue just before the shutdown; it would wait until this
// process ends. Others may still accept from an inherited socket.
void ListenerShutdown::shut_down(const Socket& socket) {
    ::shutdown(socket.copy.get(), SHUT_RD);
    if (socket.origin == Origin::inherited || !is_local(socket.copy.get())) return;
    for (;;) {  // accept(2) does not block once the socket is shut down
        const UniqueFd client(::accept4(socket.copy.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!client && errno != EINTR && errno != ECONNABORTED) return;
    }
}

}  // namespace holdfast
