#pragma once

// Second part of the implementation of holdfast/asio.hpp.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/system/system_error.hpp>
#include <cstdio>
#include <exception>
#include <holdfast/asio.hpp>
#include <holdfast/detail/handler_failure.hpp>
#include <map>
#include <mutex>

namespace holdfast {

// State shared by the coroutines of one server. Thread-safe.
class AsioServer::State : public std::enable_shared_from_this<AsioServer::State> {
  public:
    State(Worker& worker, boost::asio::any_io_executor executor, Handler handler, AsioOptions options)
        : worker_(worker),
          executor_(std::move(executor)),
          handler_(std::move(handler)),
          options_(options),
          rule_({.min = worker.keep_alive_min(), .max = options.keep_alive_max, .linger = options.linger}) {}

    void register_callbacks();
    void begin(int fd, Session session);
    void leave();
    void stay();
    void abandon();

  private:
    // Registers a connection for as long as its coroutine runs, so that post_to_all() reaches it.
    class Registration {
      public:
        Registration(State& state, AsioConnection& connection);
        ~Registration();
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;

      private:
        State& state_;
        const AsioConnection* connection_;
    };

    static boost::asio::any_io_executor strand_of(const boost::asio::any_io_executor& executor);
    static boost::asio::awaitable<void> serve(std::shared_ptr<State> self, std::shared_ptr<AsioConnection> connection);
    template <class Action>
    void post_to_all(Action action);

    Worker& worker_;
    const boost::asio::any_io_executor executor_;
    const Handler handler_;
    const AsioOptions options_;

    std::mutex mutex_;
    KeepAlive rule_;
    bool is_abandoned_ = false;
    std::map<const AsioConnection*, std::weak_ptr<AsioConnection>> connections_;
};

inline AsioServer::State::Registration::Registration(State& state, AsioConnection& connection)
    : state_(state), connection_(&connection) {
    const std::lock_guard lock(state_.mutex_);
    connection.apply(state_.rule_);
    if (state_.is_abandoned_) connection.abandon();
    state_.connections_.emplace(connection_, connection.weak_from_this());
}

inline AsioServer::State::Registration::~Registration() {
    const std::lock_guard lock(state_.mutex_);
    state_.connections_.erase(connection_);
}

inline void AsioServer::State::register_callbacks() {
    const auto call = [weak = weak_from_this()](void (State::*action)()) {
        return [weak, action] {
            if (const auto state = weak.lock()) (*state.*action)();
        };
    };
    worker_.on_drain(call(&State::leave));
    worker_.on_run(call(&State::stay));
    worker_.on_cancel(call(&State::abandon));
}

// Unwraps the usual executor types: a strand of a type-erased executor would be type-erased twice, at the cost of both.
inline boost::asio::any_io_executor AsioServer::State::strand_of(const boost::asio::any_io_executor& executor) {
    namespace net = boost::asio;
    if (const auto* context = executor.target<net::io_context::executor_type>()) return net::make_strand(*context);
    if (const auto* pool = executor.target<net::thread_pool::executor_type>()) return net::make_strand(*pool);
    return net::make_strand(executor);
}

// Called on the accepting thread.
inline void AsioServer::State::begin(int fd, Session session) {
    namespace net = boost::asio;
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    const int yes = 1;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    if (address.ss_family != AF_UNIX) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const auto strand = strand_of(executor_);
    AsioConnection::Socket socket(strand);
    boost::system::error_code refused;
    if (socket.assign(net::generic::stream_protocol(address.ss_family, 0), fd, refused)) {
        ::close(fd);
        return;
    }
    const auto connection = std::make_shared<AsioConnection>(std::move(socket), std::move(session), worker_, options_);
    net::co_spawn(strand, serve(shared_from_this(), connection),
                  net::bind_cancellation_slot(connection->cancel_.slot(), [connection](const std::exception_ptr&) {}));
}

inline boost::asio::awaitable<void> AsioServer::State::serve(std::shared_ptr<State> self,
                                                             std::shared_ptr<AsioConnection> connection) {
    const Registration registration(*self, *connection);
    try {
        co_await self->handler_(*connection);
        co_await connection->finish();
    } catch (const boost::system::system_error&) {
    } catch (const std::exception&) {
        detail::log_handler_failure();
    }
    // Asio awaits something more if nothing was awaited yet. After a cancel that would throw, and nobody could catch
    // it.
    co_await boost::asio::this_coro::throw_if_cancelled(false);
}

// Call with the mutex held: connections then receive the changes in order.
template <class Action>
void AsioServer::State::post_to_all(Action action) {
    for (const auto& [key, weak] : connections_) {
        const auto connection = weak.lock();
        if (!connection) continue;
        boost::asio::post(connection->socket_.get_executor(), [connection, action] { action(*connection); });
    }
}

inline void AsioServer::State::leave() {
    const std::lock_guard lock(mutex_);
    rule_.leave(KeepAlive::Clock::now());
    post_to_all([rule = rule_](AsioConnection& connection) { connection.apply(rule); });
}

inline void AsioServer::State::stay() {
    const std::lock_guard lock(mutex_);
    rule_.stay();
    post_to_all([rule = rule_](AsioConnection& connection) { connection.apply(rule); });
}

inline void AsioServer::State::abandon() {
    const std::lock_guard lock(mutex_);
    is_abandoned_ = true;
    post_to_all([](AsioConnection& connection) { connection.abandon(); });
}

inline AsioServer::AsioServer(Worker& worker, Listener listener, boost::asio::any_io_executor executor, Handler handler,
                              AsioOptions options)
    : state_(std::make_shared<State>(worker, std::move(executor), std::move(handler), options)) {
    state_->register_callbacks();
    acceptor_ = std::make_unique<Acceptor>(worker, std::move(listener), [state = state_](int fd, Session session) {
        state->begin(fd, std::move(session));
    });
}

inline AsioServer::~AsioServer() {
    acceptor_.reset();
    try {
        state_->abandon();
    } catch (const std::exception& failure) {  // out of memory: the coroutines end with the execution context
        std::fprintf(stderr, "holdfast: cannot end the connections of a server: %s\n", failure.what());
    }
}

}  // namespace holdfast
