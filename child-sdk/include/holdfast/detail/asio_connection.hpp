#pragma once

// First part of the implementation of holdfast/asio.hpp. Everything runs on the connection's strand.

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <holdfast/asio.hpp>

namespace holdfast {

inline AsioConnection::AsioConnection(Socket socket, Session session, Worker& worker, AsioOptions options)
    : socket_(std::move(socket)),
      session_(std::move(session)),
      worker_(worker),
      timer_(socket_.get_executor()),
      rule_({.min = worker.keep_alive_min(), .max = options.keep_alive_max, .linger = options.linger}) {}

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
    co_return next;
}

inline boost::asio::awaitable<void> AsioConnection::finish() {
    namespace net = boost::asio;
    if (!rule_.is_on() || is_abandoned_) co_return;
    half_close(socket_.native_handle());
    expires_after(rule_.limits().linger);
    boost::system::error_code error;
    std::array<char, 4096> rest;
    while (!error) co_await socket_.async_read_some(net::buffer(rest), net::redirect_error(net::use_awaitable, error));
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

// Restarts the timer only if it would fire too late. Most deadlines are never reached; a deadline that was extended is
// noticed when the timer fires.
inline void AsioConnection::expires_at(Clock::time_point deadline) {
    deadline_ = deadline;
    if (deadline < alarm_) start_timer(deadline);
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
    if (Clock::now() < deadline_) return expires_at(deadline_);
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    // The cancelled operation may already be complete, and another one may follow it under the same deadline.
    constexpr std::chrono::milliseconds again{100};
    start_timer(Clock::now() + again);
}

}  // namespace holdfast
