#include "api/server/event_stream.hpp"

#include <boost/asio/write.hpp>
#include <utility>

namespace holdfast::api {

using boost::system::error_code;

namespace {

constexpr std::string_view response_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    ": events of holdfast, one a line\n\n";

// Frees the memory of a burst of events; clear() would keep the capacity.
void release_memory(std::string& queue) { std::string().swap(queue); }

}  // namespace

void EventStream::start() {
    queue_ = response_head;
    error_code ignored;
    socket_.non_blocking(true, ignored);
    // Completes on EPOLLHUP: both directions are closed.
    socket_.async_wait(Socket::wait_error, [weak = weak_from_this()](const error_code& aborted) {
        const auto self = weak.lock();
        if (self && !aborted) self->close();
    });
    write();
}

void EventStream::push(std::string_view event) {
    if (state_ != State::open) return;
    while (!event.empty() && event.back() == '\n') event.remove_suffix(1);
    const std::size_t needed = event.size() + std::string_view("data: \n\n").size();
    if (dropped_ > 0 || queue_.size() + needed > max_queue_bytes_) {
        ++dropped_;
        return;
    }
    queue_.append("data: ").append(event).append("\n\n");
    if (in_flight_.empty()) write();
}

void EventStream::write() {
    if (queue_.empty()) {
        if (state_ == State::closing) close();
        return;
    }
    // Written synchronously first, so that an event arrives before any response that is sent later in the same
    // iteration of the event loop. An error is ignored here: the async_write below reports it again.
    error_code failed;
    queue_.erase(0, socket_.write_some(boost::asio::buffer(queue_), failed));
    if (queue_.empty()) {
        release_memory(queue_);
        return state_ == State::closing ? close() : void();
    }
    in_flight_.swap(queue_);
    boost::asio::async_write(socket_, boost::asio::buffer(in_flight_),
                             [self = shared_from_this()](const error_code& failure, std::size_t) {
                                 if (self->state_ == State::closed) return;
                                 if (failure) return self->close();
                                 release_memory(self->in_flight_);
                                 self->report_dropped();
                                 self->write();
                             });
}

// Called when all events that were queued before the first dropped one have been written.
void EventStream::report_dropped() {
    if (dropped_ == 0) return;
    queue_ += R"(data: {"event":"events_dropped","count":)" + std::to_string(std::exchange(dropped_, 0)) + "}\n\n";
}

void EventStream::close_when_written() {
    if (state_ != State::open) return;
    state_ = State::closing;
    if (in_flight_.empty()) close();
}

void EventStream::close() {
    if (state_ == State::closed) return;
    const auto alive = shared_from_this();
    state_ = State::closed;
    subscription_.reset();
    error_code ignored;
    socket_.close(ignored);
    closed_(*this);
}

}  // namespace holdfast::api
