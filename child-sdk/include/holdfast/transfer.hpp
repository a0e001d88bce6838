#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace holdfast {

/// How long to wait for a client that has to send or to take bytes: the deadline of a transfer, as plain arithmetic.
///
/// A deadline for a whole transfer would cut a large download of a client with a slow line, and one that every byte
/// restarts would let a client that sends a byte now and then stay for ever. So the client has an allowance of
/// Limits::period. The time that it makes the server wait is taken from the allowance, and each byte that it moves
/// gives back 1 / Limits::min_rate seconds, up to the whole period. A client that stops is cut after at most `period`,
/// one that is slower than `min_rate` some day, and one that is faster never.
///
/// Time that the server itself needs is not counted. Not synchronised; makes no system calls.
class TransferDeadline {
  public:
    using Clock = std::chrono::steady_clock;  ///< the clock of all time points

    /// Limits of a transfer.
    struct Limits {
        std::chrono::milliseconds period{30'000};  ///< how long a client may move nothing
        std::size_t min_rate = 100;                ///< in bytes per second; 0: any byte restarts the period
    };

    /// Begins with the whole allowance. A period over a year is a year.
    explicit TransferDeadline(Limits limits)
        : period_(std::min<std::chrono::milliseconds>(limits.period, std::chrono::hours(24 * 365))),
          min_rate_(limits.min_rate),
          left_(period_) {}

    /// Gives back the whole allowance, for a new request.
    void begin() { left_ = period_; }

    /// The server begins to wait for the client. Returns when to give up if the client moves nothing.
    Clock::time_point wait(Clock::time_point now) {
        since_ = now;
        return now + left_;
    }

    /// Up to `now` the server has waited for the client, which has moved `bytes` since the last call of wait() or
    /// moved(). Returns the new deadline, which is not later than `now` if the allowance is used up.
    Clock::time_point moved(std::size_t bytes, Clock::time_point now) {
        const std::chrono::nanoseconds used = std::max<std::chrono::nanoseconds>(now - since_, {});
        left_ = std::min(period_, std::max<std::chrono::nanoseconds>(left_ - used, {}) + worth(bytes));
        return wait(now);
    }

  private:
    std::chrono::nanoseconds worth(std::size_t bytes) const {
        if (bytes == 0) return {};
        const double seconds = min_rate_ == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(min_rate_);
        if (min_rate_ == 0 || seconds >= std::chrono::duration<double>(period_).count()) return period_;
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
    }

    std::chrono::nanoseconds period_;
    std::size_t min_rate_;
    std::chrono::nanoseconds left_;
    Clock::time_point since_{};
};

/// The number of bytes that were written to the socket and that the client has not taken yet (TCP: not acknowledged).
/// It shows progress sooner than poll(2), which reports room only when a third of the buffer is free. 0 if the system
/// does not tell.
std::size_t untaken_bytes(int fd);

/// Whether the client has reset the connection, or closed it completely: no response can reach it. A client that has
/// only closed its sending half can still read. Never blocks.
bool was_reset(int fd);

}  // namespace holdfast
