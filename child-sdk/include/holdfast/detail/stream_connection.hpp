#pragma once

// The implementation of StreamConnection, see holdfast/stream.hpp.

#include <algorithm>
#include <holdfast/detail/handler_failure.hpp>
#include <holdfast/stream.hpp>

namespace holdfast {

inline StreamConnection::StreamConnection(StreamServer& server, Session session)
    : server_(server),
      session_(std::move(session)),
      reading_({.period = server.options_.transfer_period, .min_rate = server.options_.min_rate}),
      writing_(reading_) {}

inline bool StreamConnection::says_close() const { return server_.keep_alive_.says_close(); }

// The request is not ended here: the handler may still work on it, and use what may be closed when no request is left.
inline void StreamConnection::abandon() {
    if (state_ == State::closed) return;
    state_ = State::closed;
    is_sending_ = false;
    const auto self = shared_from_this();
    close_socket();
    if (after_) request_.end();
    session_.end();
    server_.connections_.erase(self);
    // What the handler has stored here may be its last pointers to this connection. Destroyed when the members are
    // consistent again.
    const auto receive = std::exchange(receive_, nullptr);
    const auto output = std::exchange(output_, {});
}

inline void StreamConnection::become_idle() {
    state_ = State::idle;
    idle_since_ = Clock::now();
    start_reading();
    set_deadline(server_.keep_alive_.idle_deadline(idle_since_));
}

inline void StreamConnection::update_idle_deadline() {
    if (state_ == State::idle) set_deadline(server_.keep_alive_.idle_deadline(idle_since_));
}

inline void StreamConnection::received(std::string_view bytes) {
    if (state_ == State::closed) return;
    if (state_ == State::lingering) return linger();
    input_ += bytes;
    received_bytes_ += bytes.size();
    if (state_ == State::idle || state_ == State::receiving) return process_input();
    if (receive_ != nullptr && want_ != Want::pause) call_receive();
}

// Handles pipelined requests, for as long as their responses can be written at once.
inline void StreamConnection::process_input() {
    if (is_processing_input_) return;
    const auto self = shared_from_this();
    is_processing_input_ = true;
    do {
        call_handler();
    } while (state_ == State::answered);
    is_processing_input_ = false;
}

// An exception of the program ends its connection, not the event loop.
template <class Function, class Result>
Result StreamConnection::call_guarded(Function function, Result otherwise) {
    try {
        return function();
    } catch (...) {
        detail::log_handler_failure();
        abandon();
        return otherwise;
    }
}

inline void StreamConnection::call_handler() {
    if (input_.empty()) return become_idle();
    const bool is_new = std::exchange(state_, State::offering) != State::receiving;
    const std::size_t taken = call_guarded([&] { return server_.serve_(shared_from_this()); }, std::size_t{0});
    if (state_ == State::closed) return;
    if (is_new) reading_.begin();
    if (taken == 0) return wait_for_request();
    input_.erase(0, taken);
    state_ = State::serving;
    writing_.begin();
    if (receive_ != nullptr && !after_) return call_receive();
    if (receive_ != nullptr) after_ = After::close;  // answered before its body
    stop_reading();
    send_next();
}

// Part of a request has arrived.
inline void StreamConnection::wait_for_request() {
    if (input_.size() > server_.options_.max_input_bytes) return refuse();
    state_ = State::receiving;
    start_reading();
    update_transfer_deadline();
}

inline void StreamConnection::call_receive() {
    if (is_receiving_) return;
    const auto self = shared_from_this();
    const auto receive = receive_;  // may be replaced or destroyed by the call
    is_receiving_ = true;
    const Want want = call_guarded([&] { return (*receive)(self); }, Want::nothing);
    is_receiving_ = false;
    if (state_ != State::serving) return;
    want_ = want;
    if (after_ && want != Want::nothing) after_ = After::close;
    if (after_ || want == Want::nothing) receive_.reset();
    const bool reads = receive_ != nullptr && want != Want::pause;
    if (reads && input_.size() > server_.options_.max_input_bytes) return refuse();
    if (reads) {
        start_reading();
    } else {
        stop_reading();
    }
    send_next();
}

inline void StreamConnection::resume() {
    if (state_ != State::serving || receive_ == nullptr || want_ != Want::pause || is_receiving_) return;
    want_ = Want::more;
    if (!input_.empty()) return call_receive();
    start_reading();
    update_transfer_deadline();
}

// The input is longer than what may wait for the handler.
inline void StreamConnection::refuse() {
    if (!server_.options_.too_long) return abandon();
    std::string last = server_.options_.too_long(input_);
    input_.clear();
    receive_.reset();
    stop_reading();
    state_ = State::serving;
    answer(std::move(last), After::close);
}

inline void StreamConnection::write(std::string part, std::function<void()> written) {
    if ((state_ != State::offering && state_ != State::serving) || after_) return;
    output_.push_back({std::move(part), std::move(written)});
    if (state_ == State::serving) send_next();
}

inline void StreamConnection::answer(std::string bytes, After after) {
    if (state_ == State::closed) return request_.end();
    if ((state_ != State::offering && state_ != State::serving) || after_) return;
    const bool is_body_incomplete = state_ == State::serving && receive_ != nullptr && !is_receiving_;
    after_ = is_body_incomplete ? After::close : after;
    if (!bytes.empty()) output_.push_back({std::move(bytes), {}});
    if (state_ == State::serving && !is_receiving_) send_next();
}

// Sends the next part, or finishes the response after the last one.
inline void StreamConnection::send_next() {
    if (is_sending_) return update_transfer_deadline();
    if (output_.empty() && after_) return finish_response();
    if (!output_.empty()) {
        is_sending_ = true;
        send(output_.front().bytes);
    }
    if (state_ == State::serving) update_transfer_deadline();
}

inline void StreamConnection::sent() {
    if (!is_sending_) return;
    const auto self = shared_from_this();
    is_sending_ = false;
    if (has_to_take_) count_taken(Clock::now());
    const Part part = std::move(output_.front());
    output_.pop_front();
    if (part.written) part.written();
    if (state_ == State::serving && !is_sending_) send_next();
}

inline void StreamConnection::finish_response() {
    request_.end();
    receive_.reset();
    clear_deadline();
    const KeepAlive& keep_alive = server_.keep_alive_;
    const After after = *std::exchange(after_, std::nullopt);
    if (after == After::close || (!keep_alive.is_on() && keep_alive.is_leaving())) return finish();
    state_ = State::answered;
    process_input();
}

// Closes the sending half and reads the rest: closing a socket with unread bytes would reset the connection and destroy
// a response in transit.
inline void StreamConnection::finish() {
    state_ = State::lingering;
    input_.clear();
    linger_end_ = Clock::now() + std::max(server_.options_.linger, server_.options_.transfer_period);
    end_sending();
    start_reading();
    linger();
}

inline void StreamConnection::linger() { set_deadline(std::min(Clock::now() + server_.options_.linger, linger_end_)); }

inline void StreamConnection::count_taken(Clock::time_point now) {
    const std::size_t left = untaken();
    writing_.moved(untaken_ - std::min(left, untaken_), now);
    untaken_ = left;
}

// The deadline of what the client has to do: to send, to take, or both. None while only the handler works.
inline StreamConnection::Clock::time_point StreamConnection::next_transfer_deadline(Clock::time_point now) {
    if (has_to_send_) reading_.moved(received_bytes_, now);
    if (has_to_take_) count_taken(now);
    received_bytes_ = 0;
    has_to_send_ = state_ == State::receiving || (receive_ != nullptr && want_ == Want::more);
    if (is_sending_ && !has_to_take_) untaken_ = untaken();
    has_to_take_ = is_sending_;
    Clock::time_point deadline = Clock::time_point::max();
    if (has_to_send_) deadline = reading_.wait(now);
    if (has_to_take_) deadline = std::min(deadline, writing_.wait(now));
    return deadline;
}

inline void StreamConnection::update_transfer_deadline() {
    const Clock::time_point deadline = next_transfer_deadline(Clock::now());
    if (deadline == Clock::time_point::max()) return clear_deadline();
    set_deadline(deadline);
}

inline void StreamConnection::overdue() {
    if (state_ == State::receiving || state_ == State::serving) {
        const Clock::time_point now = Clock::now();
        const Clock::time_point deadline = next_transfer_deadline(now);
        if (deadline <= now) return abandon();
        if (deadline != Clock::time_point::max()) set_deadline(deadline);
        return;
    }
    if (state_ != State::idle || !server_.keep_alive_.is_on()) return abandon();
    if (!has_bytes(socket())) return finish();
    state_ = State::receiving;  // a request arrived just in time; the loop will report it
    reading_.begin();
    update_transfer_deadline();
}

}  // namespace holdfast
