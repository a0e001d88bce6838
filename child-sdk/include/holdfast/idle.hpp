#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <holdfast/keep_alive.hpp>
#include <holdfast/request.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

namespace holdfast {

/// The rule of KeepAlive for the connections of a library that reads and closes them itself (holdfast/libevent.hpp,
/// holdfast/microhttpd.hpp): it is told which of them are idle, and ends those from outside, by shutdown(2) of the
/// connection, which the library takes for the client's end. While the worker serves it does nothing: how long a
/// connection may be idle then is the library's own setting.
///
/// Not synchronised. Descriptors are borrowed; remove() comes before their end.
class IdleConnections {
  public:
    using Clock = KeepAlive::Clock;  ///< of all its times

    /// Of a worker that serves.
    explicit IdleConnections(KeepAlive::Limits limits) : keep_alive_(limits) {}

    /// The rule that it obeys.
    const KeepAlive& keep_alive() const { return keep_alive_; }

    /// A connection that has been accepted, and is idle. In place of a dead one with this descriptor.
    void add(int fd, Session session) {
        Connection connection{.session = std::move(session), .since = Clock::now(), .received = received(fd)};
        connections_.insert_or_assign(fd, std::move(connection));
    }
    /// A connection that is over. Of one that is not known, nothing happens.
    void remove(int fd) { connections_.erase(fd); }

    /// A request is served. False: the client had been told that this connection ends; do not serve it.
    bool set_busy(int fd) {
        const auto found = connections_.find(fd);
        if (found == connections_.end()) return true;
        if (found->second.state == State::half_closed || found->second.state == State::cut) return false;
        found->second.state = State::busy;
        return true;
    }
    /// Its answer has been written.
    void set_idle(int fd) {
        const auto found = connections_.find(fd);
        if (found == connections_.end() || found->second.state != State::busy) return;
        found->second.state = State::idle;
        found->second.since = Clock::now();
        found->second.received = received(fd);
    }

    /// The worker begins to leave: end_overdue() next.
    void leave() { keep_alive_.leave(Clock::now()); }
    /// The worker serves on.
    void stay() { keep_alive_.stay(); }

    /// While leaving: ends what may end, and says when to come back; nothing: when something has changed.
    std::optional<Clock::time_point> end_overdue() {
        if (!keep_alive_.is_leaving()) return std::nullopt;
        std::optional<Clock::time_point> next;
        const Clock::time_point now = Clock::now();
        for (auto& [fd, connection] : connections_) {
            if (deadline(connection) <= now) end(fd, connection, now);
            if (connection.state == State::busy || connection.state == State::cut) continue;
            next = std::min(next.value_or(Clock::time_point::max()), deadline(connection));
        }
        return next;
    }

    /// Every connection ends now, requests or not.
    void cut_all() {
        for (auto& [fd, connection] : connections_) cut(fd, connection);
    }

    /// Calls with the descriptor of each; those of which it returns true are removed.
    template <class IsDead>
    void remove_if(IsDead is_dead) {
        std::erase_if(connections_, [&](const auto& entry) { return is_dead(entry.first); });
    }

  private:
    enum class State { idle, busy, half_closed, cut };
    struct Connection {
        Session session;
        State state = State::idle;
        Clock::time_point since;  // idle, or half-closed
        std::uint64_t received;   // bytes, when it became idle
    };

    // Of its whole life, which tells that the library has read some of a request that it has not shown to anybody yet.
    // Of no use on unix sockets: there a request that comes in pieces just at the end can be cut. The C library's
    // tcp_info ends before that field (tcpi_bytes_received), and the kernel's own header does not go with it.
    static std::uint64_t received(int fd) {
        constexpr std::size_t place = 16;
        std::array<std::uint64_t, place + 1> info{};
        socklen_t length = sizeof info;
        return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, info.data(), &length) == 0 ? info[place] : 0;
    }

    Clock::time_point deadline(const Connection& connection) const {
        switch (connection.state) {
            case State::idle:
                return keep_alive_.idle_deadline(connection.since);
            case State::half_closed:
                return connection.since + keep_alive_.limits().linger;
            default:
                return Clock::time_point::max();
        }
    }

    void end(int fd, Connection& connection, Clock::time_point now) {
        if (connection.state == State::half_closed || !keep_alive_.is_on()) return cut(fd, connection);
        const bool has_spoken = has_bytes(fd) || received(fd) != connection.received;
        connection.since = now;
        connection.received = received(fd);
        if (has_spoken) return;
        half_close(fd);
        connection.state = State::half_closed;
    }

    static void cut(int fd, Connection& connection) {
        ::shutdown(fd, SHUT_RDWR);
        connection.state = State::cut;
        connection.session.end();  // for its client it is over, whenever the library notices
    }

    KeepAlive keep_alive_;
    std::unordered_map<int, Connection> connections_;
};

}  // namespace holdfast
