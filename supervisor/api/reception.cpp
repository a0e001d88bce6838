#include "api/reception.hpp"

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

bool is_lack_of_means(int number) {
    return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

// A listening socket that has become useless: waiting for it would turn in circles.
bool is_lasting(int number) {
    return number == EBADF || number == EINVAL || number == ENOTSOCK || number == EOPNOTSUPP;
}

}  // namespace

Reception::Reception(boost::asio::any_io_executor executor, const std::vector<int>& listening_fds, Host host,
                     Limits limits)
    : executor_(executor), host_(std::move(host)), limits_(limits), timer_(executor) {
    host_.changed = [this](Connection& connection) { changed(connection); };
    for (const int fd : listening_fds) {
        doors_.push_back({boost::asio::posix::stream_descriptor(executor, fd)});
        error_code ignored;
        doors_.back().socket.native_non_blocking(true, ignored);
    }
}

void Reception::open() { watch(); }

void Reception::watch() {
    for (Door& door : doors_) watch(door);
}

void Reception::watch(Door& door) {
    if (door.state == Door::State::watched || blocked_ != Blocked::no) return;
    door.state = Door::State::watched;
    door.socket.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [weak = weak_from_this(), &door](const error_code& failure) {
                               const auto self = weak.lock();
                               if (!self) return;
                               door.state = Door::State::idle;
                               if (!failure && self->blocked_ == Blocked::no) self->admit(door);
                           });
}

void Reception::admit(Door& door) {
    if (owing_.size() >= limits_.connections) return make_room();
    const int fd = ::accept4(door.socket.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    const int number = fd < 0 ? errno : 0;
    if (fd >= 0) welcome(fd);
    if (is_lasting(number)) return;
    // The client stays in the backlog and the socket stays readable, so accepting at once would only spin.
    if (is_lack_of_means(number)) {
        timer_.expires_after(limits_.pause);
        return block(Blocked::without_descriptor, timer_.expiry(), [this] { unblock(); });
    }
    watch(door);
}

void Reception::welcome(int fd) {
    Socket socket(executor_);
    error_code failure;
    socket.assign(boost::asio::generic::stream_protocol(family_of(fd), 0), fd, failure);
    if (failure) {
        ::close(fd);
        return;
    }
    const auto connection = std::make_shared<Connection>(std::move(socket), host_);
    connections_.emplace(connection.get(), Place{connection, owing_.end()});
    connection->start();
}

// Nobody who has just come gives way: a flood of connections would push out everyone before it could speak.
void Reception::make_room() {
    Connection* const oldest = owing_.front();
    block(Blocked::crowded, oldest->waited_for_since() + limits_.patience, [this, oldest] {
        if (owing_.size() >= limits_.connections && owing_.front() == oldest) return oldest->close();  // unblocks
        unblock();
    });
}

void Reception::block(Blocked why, std::chrono::steady_clock::time_point until, std::function<void()> then) {
    blocked_ = why;
    timer_.expires_at(until);
    timer_.async_wait(
        [weak = weak_from_this(), mine = ++timer_run_, then = std::move(then)](const error_code& aborted) {
            const auto self = weak.lock();
            if (self && !aborted && self->timer_run_ == mine) then();
        });
}

void Reception::unblock() {
    if (blocked_ == Blocked::no || blocked_ == Blocked::closing) return;
    blocked_ = Blocked::no;
    ++timer_run_;
    timer_.cancel();
    watch();
}

void Reception::changed(Connection& connection) {
    Place& place = connections_.at(&connection);
    if (place.in_owing != owing_.end()) owing_.erase(std::exchange(place.in_owing, owing_.end()));
    unread_bytes_ -= std::exchange(place.unread_bytes, connection.unread_bytes());
    unread_bytes_ += connection.unread_bytes();
    switch (connection.state()) {
        case Connection::State::reading:
        case Connection::State::writing:
            place.in_owing = owing_.insert(owing_.end(), &connection);
            return limit_unread(connection);
        case Connection::State::waiting:
            break;
        case Connection::State::closed:
            connections_.erase(&connection);
            break;
    }
    if (blocked_ == Blocked::closing) {
        if (connections_.empty() && done_) finish();
        return;
    }
    const bool freed_a_descriptor = connection.state() == Connection::State::closed;
    if (blocked_ == Blocked::crowded || freed_a_descriptor) unblock();
}

// Whoever reads does so at once. One answer of any size is always let out.
void Reception::limit_unread(const Connection& newest) {
    while (unread_bytes_ > limits_.unread_bytes) {
        const auto idle = std::ranges::find_if(
            owing_, [&](const Connection* each) { return each != &newest && each->unread_bytes() > 0; });
        if (idle == owing_.end()) return;
        (*idle)->close();  // takes itself out
    }
}

void Reception::close_when_answered(std::function<void()> done) {
    blocked_ = Blocked::closing;
    done_ = std::move(done);
    error_code ignored;
    for (Door& door : doors_) door.socket.close(ignored);
    const auto connections = connections_;  // each that ends takes itself out
    for (const auto& [key, place] : connections) place.connection->close_when_answered();
    if (connections_.empty()) {
        if (done_) finish();
        return;
    }
    timer_.expires_after(limits_.closing);
    block(Blocked::closing, timer_.expiry(), [this] { close(); });
}

void Reception::finish() {
    ++timer_run_;
    timer_.cancel();
    boost::asio::post(executor_, std::exchange(done_, nullptr));
}

void Reception::close() {
    blocked_ = Blocked::closing;
    error_code ignored;
    for (Door& door : doors_) door.socket.close(ignored);
    const auto connections = connections_;
    for (const auto& [key, place] : connections) place.connection->close();
}

}  // namespace holdfast::api
