#include "api/server.hpp"

#include <fcntl.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>
#include <utility>

#include "api/connection.hpp"

namespace holdfast::api {

using boost::asio::local::stream_protocol;
using boost::system::error_code;

class Server::Acceptor : public std::enable_shared_from_this<Acceptor> {
  public:
    Acceptor(const boost::asio::any_io_executor& executor, int listening_fd, Host host)
        : host_(std::move(host)), socket_(executor, stream_protocol(), listening_fd), timer_(executor) {}

    void accept();
    void close_when_answered(std::function<void()> done);
    void abandon();

  private:
    enum class State { accepting, full, pausing, closing };

    void accepted(const error_code& failure, stream_protocol::socket client);
    void pause();
    void closed(Connection& connection);
    void close();
    void finish();

    Host host_;
    stream_protocol::acceptor socket_;
    boost::asio::steady_timer timer_;  // of a pause, or of the closing
    State state_ = State::full;
    std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
    std::function<void()> done_;
};

void Server::Acceptor::accept() {
    if (connections_.size() >= host_.limits.connections) {
        state_ = State::full;
        return;
    }
    state_ = State::accepting;
    socket_.async_accept([weak = weak_from_this()](const error_code& failure, stream_protocol::socket client) {
        const auto self = weak.lock();
        if (self && self->state_ == State::accepting) self->accepted(failure, std::move(client));
    });
}

void Server::Acceptor::accepted(const error_code& failure, stream_protocol::socket client) {
    if (failure) return pause();
    // Asio 1.26 accepts without SOCK_CLOEXEC.
    ::fcntl(client.native_handle(), F_SETFD, FD_CLOEXEC);
    auto connection =
        std::make_shared<Connection>(std::move(client), host_, [this](Connection& which) { closed(which); });
    connections_.emplace(connection.get(), connection);
    connection->start();
    accept();
}

// Out of descriptors, most likely: the client stays in the backlog and the socket stays readable, so accepting at once
// would only spin.
void Server::Acceptor::pause() {
    state_ = State::pausing;
    timer_.expires_after(host_.limits.pause);
    timer_.async_wait([weak = weak_from_this()](const error_code& aborted) {
        const auto self = weak.lock();
        if (self && !aborted && self->state_ == State::pausing) self->accept();
    });
}

void Server::Acceptor::closed(Connection& connection) {
    connections_.erase(&connection);
    if (state_ == State::closing) {
        if (connections_.empty() && done_) finish();
        return;
    }
    if (state_ == State::pausing) timer_.cancel();
    if (state_ != State::accepting) accept();
}

void Server::Acceptor::close_when_answered(std::function<void()> done) {
    state_ = State::closing;
    done_ = std::move(done);
    error_code ignored;
    socket_.close(ignored);
    const auto connections = connections_;  // each that ends takes itself out
    for (const auto& [key, connection] : connections) connection->close_when_answered();
    if (connections_.empty()) {
        if (done_) finish();
        return;
    }
    timer_.expires_after(host_.limits.closing);
    timer_.async_wait([weak = weak_from_this()](const error_code& aborted) {
        const auto self = weak.lock();
        if (self && !aborted) self->close();
    });
}

void Server::Acceptor::finish() {
    timer_.cancel();
    boost::asio::post(timer_.get_executor(), std::exchange(done_, nullptr));
}

void Server::Acceptor::abandon() {
    done_ = nullptr;
    timer_.cancel();
    close();
}

void Server::Acceptor::close() {
    state_ = State::closing;
    error_code ignored;
    socket_.close(ignored);
    const auto connections = connections_;
    for (const auto& [key, connection] : connections) connection->close();
}

Server::Server(boost::asio::any_io_executor executor, int listening_fd, uid_t our_uid, Ask ask, Snapshot snapshot,
               Limits limits)
    : acceptor_(std::make_shared<Acceptor>(executor, listening_fd,
                                           Host{our_uid, std::move(ask), std::move(snapshot), limits})) {
    acceptor_->accept();
}

Server::~Server() { acceptor_->abandon(); }

void Server::close_when_answered(std::function<void()> done) { acceptor_->close_when_answered(std::move(done)); }

}  // namespace holdfast::api
