#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace holdfast {

/// How an HTTP connection ends without a lost request, although either side may speak at any time: the rule of one
/// connection, as plain arithmetic. The adapters of this library obey it; so can any other server.
///
/// - While the worker leaves, every answer says "Connection: close" (says_close()).
/// - An idle connection stays readable for `min` after it became idle, or after the worker began to leave if that was
///   later; then, and not before, it may be closed (idle_deadline()).
/// - Before it is closed it is looked at once more (has_bytes(fd)): a request that has arrived is answered.
/// - Only the sending half is closed (half_close(fd)); then the client's last bytes are read until it closes as well,
///   for `linger` at most. Closing with unread bytes would reset the connection and destroy the answer on its way.
///
/// `min` 0 switches all of it off: idle connections are closed at once, which is the usual rule, and loses requests.
/// Not synchronised; costs no system call.
class KeepAlive {
  public:
    using Clock = std::chrono::steady_clock;  ///< of all its times

    /// How long a connection may be idle, and linger.
    struct Limits {
        std::chrono::milliseconds min{1000};     ///< longer than a client's pause between two requests
        std::chrono::milliseconds max{75'000};   ///< idle, while the worker serves
        std::chrono::milliseconds linger{1000};  ///< for the client to close after us
    };

    /// Of a worker that serves.
    explicit KeepAlive(Limits limits) : limits_(limits) {}

    /// What it was made with.
    const Limits& limits() const { return limits_; }
    /// Whether `min` is more than 0.
    bool is_on() const { return limits_.min.count() > 0; }

    /// The worker begins to leave.
    void leave(Clock::time_point now) { leaving_since_ = now; }
    /// The worker serves on.
    void stay() { leaving_since_.reset(); }
    /// Whether leave() was the last of the two.
    bool is_leaving() const { return leaving_since_.has_value(); }

    /// Whether an answer given now has to say "Connection: close".
    bool says_close() const { return is_on() && is_leaving(); }

    /// When a connection that has been idle since then may be closed.
    Clock::time_point idle_deadline(Clock::time_point idle_since) const {
        if (!leaving_since_) return idle_since + limits_.max;
        if (!is_on()) return *leaving_since_;
        return std::max(*leaving_since_, idle_since) + limits_.min;
    }

  private:
    Limits limits_;
    std::optional<Clock::time_point> leaving_since_;
};

/// Whether the kernel holds bytes of the client that nobody has read. False at the end of the stream. Never blocks.
bool has_bytes(int fd);

/// Whether the client has closed or reset its side, with nothing left to read. Never blocks.
bool has_ended(int fd);

/// Closes the sending half: the client sees the end of the stream, and its last bytes are still accepted.
void half_close(int fd);

}  // namespace holdfast
