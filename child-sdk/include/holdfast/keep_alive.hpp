#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace holdfast {

/// How to end idle HTTP connections without losing a request, although either side may send at any time: the rules for
/// one connection, as plain arithmetic. The adapters of this library follow them, and any other server can.
///
/// - While the worker drains, every response says "Connection: close" (says_close()).
/// - An idle connection stays readable until `min` after it became idle, or after the worker began to leave if that was
///   later. It may be closed only then (idle_deadline()).
/// - Before it is closed, the server checks once more for unread bytes (has_bytes(fd)): a request that has arrived is
///   answered.
/// - Only the sending half is closed (half_close(fd)). The server then reads the client's last bytes until the client
///   closes as well, for at most `linger`. Closing a socket with unread bytes would reset the connection and destroy a
///   response in transit.
///
/// `min` 0 disables these rules: idle connections are closed at once, as most servers do, which loses requests. Not
/// synchronised; makes no system calls.
class KeepAlive {
  public:
    using Clock = std::chrono::steady_clock;  ///< the clock of all time points

    /// Time limits of a connection.
    struct Limits {
        std::chrono::milliseconds min{1000};     ///< must exceed a client's pause between two requests
        std::chrono::milliseconds max{75'000};   ///< idle timeout while the worker serves
        std::chrono::milliseconds linger{1000};  ///< how long to wait for the client to close after us
    };

    /// Starts in the serving state.
    explicit KeepAlive(Limits limits) : limits_(limits) {}

    /// The limits given to the constructor.
    const Limits& limits() const { return limits_; }
    /// Whether the rules are enabled: `min` is more than 0.
    bool is_on() const { return limits_.min.count() > 0; }

    /// The worker begins to leave.
    void leave(Clock::time_point now) { leaving_since_ = now; }
    /// The worker continues to serve.
    void stay() { leaving_since_.reset(); }
    /// Whether the worker is leaving: leave() was called after the last stay().
    bool is_leaving() const { return leaving_since_.has_value(); }

    /// Whether a response must contain "Connection: close".
    bool says_close() const { return is_on() && is_leaving(); }

    /// When a connection that has been idle since `idle_since` may be closed.
    Clock::time_point idle_deadline(Clock::time_point idle_since) const {
        if (!leaving_since_) return idle_since + limits_.max;
        if (!is_on()) return *leaving_since_;
        return std::max(*leaving_since_, idle_since) + limits_.min;
    }

  private:
    Limits limits_;
    std::optional<Clock::time_point> leaving_since_;
};

/// Whether the socket's receive buffer holds unread bytes. False at the end of the stream. Never blocks.
bool has_bytes(int fd);

/// Whether the client has closed or reset the connection and no bytes are left to read. Never blocks.
bool has_ended(int fd);

/// Closes the sending half: the client sees the end of the stream, and its last bytes can still be read.
void half_close(int fd);

}  // namespace holdfast
