#include "api/server/connection_manager.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

namespace holdfast::api {

using boost::system::error_code;

namespace {

int family_of(int fd) {
    int family = AF_UNSPEC;
    socklen_t size = sizeof family;
    ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
    return family;
}

bool is_out_of_resources(int number) {
    return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

// The listening socket is unusable: waiting for it again would be an endless loop.
bool is_fatal(int number) { return number == EBADF || number == EINVAL || number == ENOTSOCK || number == EOPNOTSUPP; }

}  // namespace

ConnectionManager::ConnectionManager(boost::asio::any_io_executor executor, const std::vector<int>& listening_fds,
                                     ConnectionConfig config, Limits limits)
    : executor_(executor), config_(std::move(config)), limits_(limits), timer_(executor) {
    config_.on_state_change = [this](Connection& connection) { on_state_change(connection); };
    for (const int fd : listening_fds) {
        listeners_.push_back({boost::asio::posix::stream_descriptor(executor, fd)});
        error_code ignored;
        listeners_.back().socket.native_non_blocking(true, ignored);
    }
}

void ConnectionManager::open() { start_accepting(); }

void ConnectionManager::start_accepting() {
    for (ListeningSocket& listener : listeners_) start_accepting(listener);
}

void ConnectionManager::start_accepting(ListeningSocket& listener) {
    if (listener.state == ListeningSocket::State::watched || pause_reason_ != PauseReason::none) return;
    listener.state = ListeningSocket::State::watched;
    listener.socket.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                               [weak = weak_from_this(), &listener](const error_code& failure) {
                                   const auto self = weak.lock();
                                   if (!self) return;
                                   listener.state = ListeningSocket::State::idle;
                                   if (!failure && self->pause_reason_ == PauseReason::none) self->accept(listener);
                               });
}

void ConnectionManager::accept(ListeningSocket& listener) {
    if (evictable_.size() >= limits_.connections) return evict_oldest();
    const int fd = ::accept4(listener.socket.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    const int number = fd < 0 ? errno : 0;
    if (fd >= 0) add_connection(fd);
    if (is_fatal(number)) return;
    // The connection stays in the backlog and the socket stays readable: accepting again at once would be a busy loop.
    if (is_out_of_resources(number)) {
        timer_.expires_after(limits_.emfile_backoff);
        return pause_accepting(PauseReason::out_of_descriptors, timer_.expiry(), [this] { resume_accepting(); });
    }
    start_accepting(listener);
}

void ConnectionManager::add_connection(int fd) {
    Socket socket(executor_);
    error_code failure;
    socket.assign(boost::asio::generic::stream_protocol(family_of(fd), 0), fd, failure);
    if (failure) {
        ::close(fd);
        return;
    }
    const auto connection = std::make_shared<Connection>(std::move(socket), config_);
    connections_.emplace(connection.get(), Entry{connection, evictable_.end()});
    connection->start();
}

// A connection is not evicted before min_idle: otherwise a flood of connections would evict every client before it
// could send its request.
void ConnectionManager::evict_oldest() {
    Connection* const oldest = evictable_.front();
    pause_accepting(PauseReason::at_limit, oldest->idle_since() + limits_.min_idle, [this, oldest] {
        if (evictable_.size() >= limits_.connections && evictable_.front() == oldest)
            return oldest->close();  // its state change resumes accepting
        resume_accepting();
    });
}

void ConnectionManager::pause_accepting(PauseReason why, std::chrono::steady_clock::time_point until,
                                        std::function<void()> then) {
    pause_reason_ = why;
    timer_.expires_at(until);
    timer_.async_wait([weak = weak_from_this(), run = ++timer_run_, then = std::move(then)](const error_code& aborted) {
        const auto self = weak.lock();
        if (self && !aborted && self->timer_run_ == run) then();
    });
}

void ConnectionManager::resume_accepting() {
    if (pause_reason_ == PauseReason::none || pause_reason_ == PauseReason::closing) return;
    pause_reason_ = PauseReason::none;
    ++timer_run_;
    timer_.cancel();
    start_accepting();
}

void ConnectionManager::on_state_change(Connection& connection) {
    Entry& entry = connections_.at(&connection);
    if (entry.evictable_position != evictable_.end())
        evictable_.erase(std::exchange(entry.evictable_position, evictable_.end()));
    unread_bytes_ -= std::exchange(entry.unread_bytes, connection.unread_bytes());
    unread_bytes_ += connection.unread_bytes();
    switch (connection.state()) {
        case Connection::State::reading:
        case Connection::State::writing:
            entry.evictable_position = evictable_.insert(evictable_.end(), &connection);
            return enforce_unread_limit(connection);
        case Connection::State::waiting:
            break;
        case Connection::State::closed:
            connections_.erase(&connection);
            break;
    }
    if (pause_reason_ == PauseReason::closing) {
        if (connections_.empty() && done_) finish();
        return;
    }
    const bool freed_a_descriptor = connection.state() == Connection::State::closed;
    if (pause_reason_ == PauseReason::at_limit || freed_a_descriptor) resume_accepting();
}

// Closes the slowest readers first. The newest response is always sent, whatever its size.
void ConnectionManager::enforce_unread_limit(const Connection& newest) {
    while (unread_bytes_ > limits_.max_unread_bytes) {
        const auto slowest = std::ranges::find_if(
            evictable_, [&](const Connection* each) { return each != &newest && each->unread_bytes() > 0; });
        if (slowest == evictable_.end()) return;
        (*slowest)->close();  // removes itself from evictable_
    }
}

void ConnectionManager::close_when_answered(std::function<void()> done) {
    pause_reason_ = PauseReason::closing;
    done_ = std::move(done);
    error_code ignored;
    for (ListeningSocket& listener : listeners_) listener.socket.close(ignored);
    const auto connections = connections_;  // a copy: a connection that closes removes itself from connections_
    for (const auto& [key, entry] : connections) entry.connection->close_when_answered();
    if (connections_.empty()) {
        if (done_) finish();
        return;
    }
    timer_.expires_after(limits_.close_timeout);
    pause_accepting(PauseReason::closing, timer_.expiry(), [this] { close(); });
}

void ConnectionManager::finish() {
    ++timer_run_;
    timer_.cancel();
    boost::asio::post(executor_, std::exchange(done_, nullptr));
}

void ConnectionManager::close() {
    pause_reason_ = PauseReason::closing;
    error_code ignored;
    for (ListeningSocket& listener : listeners_) listener.socket.close(ignored);
    const auto connections = connections_;
    for (const auto& [key, entry] : connections) entry.connection->close();
}

}  // namespace holdfast::api
