#pragma once

// First part of the implementation of holdfast/asio.hpp. Everything runs on the connection's strand.

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <holdfast/asio.hpp>

namespace holdfast {

inline AsioConnection::AsioConnection(Socket socket, Session session, Worker& worker, AsioOptions options)
    : socket_(std::move(socket)),
      session_(std::move(session)),
      worker_(worker),
      timer_(socket_.get_executor()),
      rule_({.min = worker.keep_alive_min(), .max = options.keep_alive_max, .linger = options.linger}),
      options_(options),
      reading_{TransferDeadline({.period = options.transfer_period, .min_rate = options.min_rate})},
      writing_(reading_) {}

inline boost::asio::awaitable<AsioConnection::Next> AsioConnection::wait_for_request() {
    namespace net = boost::asio;
    Next next = Next::end;
    idle_since_ = Clock::now();
    is_idle_ = true;
    while (!is_abandoned_ && (rule_.is_on() || !rule_.is_leaving())) {
        boost::system::error_code error;
        expires_at(rule_.idle_deadline(idle_since_));
        co_await socket_.async_wait(Socket::wait_read, net::redirect_error(net::use_awaitable, error));
        if (error == net::error::operation_aborted && Clock::now() < deadline_) continue;  // the deadline was moved
        if (error && !rule_.is_on() && rule_.is_leaving()) break;
        if (has_bytes(socket_.native_handle())) next = Next::request;  // also after the deadline: a last check
        // With several threads the reactor may report bytes that have already been read.
        if (error || next == Next::request || has_ended(socket_.native_handle())) break;
    }
    is_idle_ = false;
    expires_never();
    reading_.deadline.begin();
    writing_.deadline.begin();
    co_return next;
}

inline boost::asio::awaitable<void> AsioConnection::finish() {
    namespace net = boost::asio;
    if (!rule_.is_on() || is_abandoned_) co_return;
    half_close(socket_.native_handle());
    const Clock::time_point end = Clock::now() + std::max(options_.linger, options_.transfer_period);
    boost::system::error_code error;
    std::array<char, 4096> rest;
    while (!error) {
        expires_at(std::min(Clock::now() + options_.linger, end));
        co_await socket_.async_read_some(net::buffer(rest), net::redirect_error(net::use_awaitable, error));
    }
}

/// A read. Like a write, it is called first to begin, and again when the socket's operation is complete.
template <class Buffers>
struct AsioConnection::ReadSome {
    AsioConnection& connection;
    Buffers buffers;

    template <class Self>
    void operator()(Self& self) {
        AsioConnection& target = connection;
        const Buffers into = buffers;  // `self` contains this object
        target.begin(target.reading_);
        target.socket_.async_read_some(into, std::move(self));
    }
    template <class Self>
    void operator()(Self& self, boost::system::error_code error, std::size_t bytes) {
        end(connection.reading_, bytes);
        self.complete(error, bytes);
    }
};

/// A write.
template <class Buffers>
struct AsioConnection::WriteSome {
    AsioConnection& connection;
    Buffers buffers;

    template <class Self>
    void operator()(Self& self) {
        AsioConnection& target = connection;
        const Buffers from = buffers;
        target.untaken_ = untaken_bytes(target.socket_.native_handle());
        target.begin(target.writing_);
        target.socket_.async_write_some(from, std::move(self));
    }
    template <class Self>
    void operator()(Self& self, boost::system::error_code error, std::size_t bytes) {
        end(connection.writing_, bytes);
        self.complete(error, bytes);
    }
};

template <class Buffers, class Token>
auto AsioConnection::async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        ReadSome<Buffers>{*this, buffers}, token, socket_);
}

template <class Buffers, class Token>
auto AsioConnection::async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        WriteSome<Buffers>{*this, buffers}, token, socket_);
}

inline void AsioConnection::begin(Transfer& transfer) {
    transfer.end = transfer.deadline.wait(Clock::now());
    keep_deadline();
}

inline void AsioConnection::end(Transfer& transfer, std::size_t bytes) {
    transfer.deadline.moved(bytes, Clock::now());
    transfer.end = Clock::time_point::max();
}

inline void AsioConnection::apply(const KeepAlive& rule) {
    rule_ = rule;
    if (is_idle_) expires_at(rule_.idle_deadline(idle_since_));
}

inline void AsioConnection::abandon() {
    is_abandoned_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
    cancel_.emit(boost::asio::cancellation_type::terminal);
}

inline void AsioConnection::expires_at(Clock::time_point deadline) {
    deadline_ = deadline;
    keep_deadline();
}

// Restarts the timer only if it would fire too late. Most deadlines are never reached; a deadline that was extended is
// noticed when the timer fires.
inline void AsioConnection::keep_deadline() {
    if (next_deadline() < alarm_) start_timer(next_deadline());
}

inline void AsioConnection::start_timer(Clock::time_point alarm) {
    alarm_ = alarm;
    timer_.expires_at(alarm);
    timer_.async_wait([weak = weak_from_this(), alarm](boost::system::error_code error) {
        const auto self = weak.lock();
        // Ignores a wait that had already completed when the alarm was moved.
        if (!error && self && self->alarm_ == alarm) self->on_timer();
    });
}

inline void AsioConnection::on_timer() {
    alarm_ = Clock::time_point::max();
    if (Clock::now() < next_deadline() || has_taken()) return keep_deadline();
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    // The cancelled operation may already be complete, and another one may follow it under the same deadline.
    constexpr std::chrono::milliseconds again{100};
    start_timer(Clock::now() + again);
}

// Whether only the deadline of the write has passed, and the client has taken bytes meanwhile: that is progress, which
// may be long before there is room for more.
inline bool AsioConnection::has_taken() {
    const Clock::time_point now = Clock::now();
    if (writing_.end > now || deadline_ <= now || reading_.end <= now) return false;
    const std::size_t left = untaken_bytes(socket_.native_handle());
    writing_.end = writing_.deadline.moved(untaken_ - std::min(left, untaken_), now);
    untaken_ = left;
    return writing_.end > now;
}

}  // namespace holdfast
