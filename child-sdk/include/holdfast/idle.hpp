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

/// Applies the rules of KeepAlive to connections that a library reads and closes itself (holdfast/libevent.hpp,
/// holdfast/microhttpd.hpp). The adapter reports which connections are idle; this class ends those by shutdown(2),
/// which the library sees as the client's end of stream. It does nothing while the worker serves: the library's own
/// idle timeout applies then.
///
/// Not synchronised. Does not own descriptors; call remove() before a descriptor is closed.
class IdleConnections {
  public:
    using Clock = KeepAlive::Clock;  ///< the clock of all time points

    /// Starts in the serving state.
    explicit IdleConnections(KeepAlive::Limits limits) : keep_alive_(limits) {}

    /// The rules that apply.
    const KeepAlive& keep_alive() const { return keep_alive_; }

    /// Adds a connection that was just accepted and is idle. Replaces an entry with the same descriptor.
    void add(int fd, Session session) {
        Connection connection{.session = std::move(session), .since = Clock::now(), .received = received(fd)};
        connections_.insert_or_assign(fd, std::move(connection));
    }
    /// Removes a connection that has ended. Unknown descriptors are ignored.
    void remove(int fd) { connections_.erase(fd); }

    /// The session of a connection; null if it is unknown. Valid until the connection is removed.
    Session* session(int fd) {
        const auto found = connections_.find(fd);
        return found == connections_.end() ? nullptr : &found->second.session;
    }

    /// Marks a connection as serving a request. Returns false if the client has already been told that the connection
    /// ends: do not serve the request.
    bool set_busy(int fd) {
        const auto found = connections_.find(fd);
        if (found == connections_.end()) return true;
        if (found->second.state == State::half_closed || found->second.state == State::cut) return false;
        found->second.state = State::busy;
        return true;
    }
    /// Marks a connection as idle: its response has been written.
    void set_idle(int fd) {
        const auto found = connections_.find(fd);
        if (found == connections_.end() || found->second.state != State::busy) return;
        found->second.state = State::idle;
        found->second.since = Clock::now();
        found->second.received = received(fd);
    }

    /// The drain begins. Call end_overdue() next.
    void leave() { keep_alive_.leave(Clock::now()); }
    /// The drain was taken back.
    void stay() { keep_alive_.stay(); }

    /// During a drain: ends the connections whose deadline has passed, and returns the next deadline. Returns nothing
    /// if there is none; call it again when the state of a connection changes.
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

    /// Ends every connection now, also those that serve a request.
    void cut_all() {
        for (auto& [fd, connection] : connections_) cut(fd, connection);
    }

    /// Calls `is_dead` with each descriptor, and removes those for which it returns true.
    template <class IsDead>
    void remove_if(IsDead is_dead) {
        std::erase_if(connections_, [&](const auto& entry) { return is_dead(entry.first); });
    }

  private:
    enum class State { idle, busy, half_closed, cut };
    struct Connection {
        Session session;
        State state = State::idle;
        Clock::time_point since;  // when it became idle or half-closed
        std::uint64_t received;   // bytes received until it became idle
    };

    // Bytes received since the connection began. It reveals that the library has read part of a request that it has not
    // reported yet. Does not work on unix sockets: there, a request that arrives in pieces just at the deadline can be
    // cut. The field is tcpi_bytes_received: the tcp_info of the C library ends before it, and the kernel's header
    // cannot be included together with that of the C library.
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
        connection.session.end();  // the client sees the end now, even if the library notices later
    }

    KeepAlive keep_alive_;
    std::unordered_map<int, Connection> connections_;
};

}  // namespace holdfast
