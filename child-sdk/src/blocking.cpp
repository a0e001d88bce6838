#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <holdfast/blocking.hpp>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "diagnostics.hpp"
#include "process.hpp"
#include "unique_fd.hpp"
#include "wakeup_fd.hpp"

namespace holdfast {

namespace {

using Clock = KeepAlive::Clock;

enum class WaitResult { ready, stage_changed, abandoned, timed_out };

int milliseconds_until(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

}  // namespace

// State shared by the threads of one server.
class BlockingConnection::Impl {
  public:
    Impl(Worker& worker, BlockingServer::Handler handler, BlockingOptions options);
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    static void register_callbacks(const std::shared_ptr<Impl>& self);
    void accept_from(Listener listener);
    void end();

    KeepAlive rule() const {
        const std::lock_guard lock(mutex_);
        return rule_;
    }
    // Waits until the descriptor has events, the worker starts to leave (or, if `rule` is leaving, is taken back), the
    // worker is cancelled, or the deadline passes.
    WaitResult wait(int fd, short events, const KeepAlive* rule, Clock::time_point deadline) const;

    bool is_abandoned() const { return is_abandoned_; }
    const BlockingOptions& options() const { return options_; }
    TransferDeadline::Limits transfer_limits() const {
        return {.period = options_.transfer_period, .min_rate = options_.min_rate};
    }
    const Worker& worker() const { return worker_; }

  private:
    using Threads = std::list<std::thread>;
    enum class Limit { enforced, lifted };

    void set_limit(Limit limit);
    void leave();
    void stay();
    void abandon();
    void begin(UniqueFd fd, Session session);
    void serve(UniqueFd fd, Session session);
    void retire(Threads::iterator self);

    Worker& worker_;
    const BlockingServer::Handler handler_;
    const BlockingOptions options_;
    const WakeupFd leaving_;
    const WakeupFd staying_;
    const WakeupFd abandoned_;
    std::atomic<bool> is_abandoned_ = false;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    KeepAlive rule_;
    Limit limit_ = Limit::enforced;
    Threads threads_;
    std::thread retired_;  // the thread that ended last, not yet joined
    std::optional<Acceptor> acceptor_;
};

BlockingConnection::Impl::Impl(Worker& worker, BlockingServer::Handler handler, BlockingOptions options)
    : worker_(worker),
      handler_(std::move(handler)),
      options_(options),
      rule_({.min = worker.keep_alive_min(), .max = options.keep_alive_max, .linger = options.linger}) {
    staying_.set();
}

// Registered before the callbacks of the acceptor: the limit must be lifted first, because the acceptor's callback
// returns only when every queued connection has a thread.
void BlockingConnection::Impl::register_callbacks(const std::shared_ptr<Impl>& self) {
    const auto call = [weak = std::weak_ptr(self)](auto action) {
        return [weak, action] {
            if (const auto impl = weak.lock()) action(*impl);
        };
    };
    self->worker_.on_pause(call([](Impl& impl) { impl.set_limit(Limit::lifted); }));
    self->worker_.on_drain(call([](Impl& impl) { impl.leave(); }));
    self->worker_.on_run(call([](Impl& impl) { impl.stay(); }));
    self->worker_.on_cancel(call([](Impl& impl) { impl.abandon(); }));
}

void BlockingConnection::Impl::accept_from(Listener listener) {
    acceptor_.emplace(worker_, std::move(listener),
                      [this](int fd, Session session) { begin(UniqueFd(fd), std::move(session)); });
}

void BlockingConnection::Impl::set_limit(Limit limit) {
    const std::lock_guard lock(mutex_);
    limit_ = limit;
    changed_.notify_all();
}

void BlockingConnection::Impl::leave() {
    set_limit(Limit::lifted);
    const std::lock_guard lock(mutex_);
    rule_.leave(Clock::now());
    staying_.clear();
    leaving_.set();
}

void BlockingConnection::Impl::stay() {
    set_limit(Limit::enforced);
    const std::lock_guard lock(mutex_);
    rule_.stay();
    leaving_.clear();
    staying_.set();
}

void BlockingConnection::Impl::abandon() {
    is_abandoned_ = true;
    abandoned_.set();
}

void BlockingConnection::Impl::end() {
    set_limit(Limit::lifted);
    acceptor_.reset();
    abandon();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return threads_.empty(); });
    if (retired_.joinable()) retired_.join();
}

// Called on the accepting thread. Blocks at the connection limit; further clients wait in the accept queue.
void BlockingConnection::Impl::begin(UniqueFd fd, Session session) {
    const int yes = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);  // fails on a unix socket
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return threads_.size() < options_.most_connections || limit_ == Limit::lifted; });
    const auto self = threads_.emplace(threads_.end());
    try {
        *self = std::thread([this, self, fd = std::move(fd), session = std::move(session)]() mutable {
            serve(std::move(fd), std::move(session));
            retire(self);
        });
    } catch (const std::system_error& failure) {
        threads_.erase(self);
        log_error(std::string("cannot start a thread for a connection, closing it: ") + failure.what() +
                  "; raise the thread limit (ulimit -u), or lower BlockingOptions::most_connections");
    }
}

void BlockingConnection::Impl::serve(UniqueFd fd, Session session) {
    BlockingConnection connection(*this, fd.release(), std::move(session));
    const Call call = call_or_log_error("closing a connection: its handler threw", [&] { handler_(connection); });
    if (call == Call::returned) connection.finish();
}

// Each thread joins the one that ended before it, so at most one thread is unjoined.
void BlockingConnection::Impl::retire(Threads::iterator self) {
    std::thread former;
    {
        const std::lock_guard lock(mutex_);
        former = std::exchange(retired_, std::move(*self));
        threads_.erase(self);
        changed_.notify_all();
    }
    if (former.joinable()) former.join();
}

WaitResult BlockingConnection::Impl::wait(int fd, short events, const KeepAlive* rule,
                                          Clock::time_point deadline) const {
    const int change_fd = rule == nullptr ? -1 : rule->is_leaving() ? staying_.fd() : leaving_.fd();
    for (;;) {
        std::array<pollfd, 3> watched{pollfd{abandoned_.fd(), POLLIN, 0}, pollfd{fd, events, 0},
                                      pollfd{change_fd, POLLIN, 0}};
        if (::poll(watched.data(), watched.size(), milliseconds_until(deadline)) > 0) {
            if (watched[0].revents != 0) return WaitResult::abandoned;
            return watched[1].revents != 0 ? WaitResult::ready : WaitResult::stage_changed;
        }
        if (Clock::now() >= deadline) return WaitResult::timed_out;
    }
}

BlockingConnection::BlockingConnection(Impl& server, int fd, Session session)
    : server_(server),
      fd_(fd),
      session_(std::move(session)),
      reading_(server.transfer_limits()),
      writing_(server.transfer_limits()) {}

BlockingConnection::~BlockingConnection() { ::close(fd_); }

BlockingConnection::Next BlockingConnection::wait_for_request() {
    const Clock::time_point idle_since = Clock::now();
    WaitResult result = WaitResult::stage_changed;
    while (result == WaitResult::stage_changed) {
        const KeepAlive rule = server_.rule();
        if (rule.is_leaving() && !rule.is_on()) return Next::end;
        result = server_.wait(fd_, POLLIN, &rule, rule.idle_deadline(idle_since));
    }
    reading_.begin();
    writing_.begin();
    return result != WaitResult::abandoned && has_bytes(fd_) ? Next::request
                                                             : Next::end;  // last check after the deadline
}

std::size_t BlockingConnection::read_some(std::span<char> buffer) {
    const Clock::time_point deadline = reading_.wait(Clock::now());
    while (!server_.is_abandoned()) {
        const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (got > 0) reading_.moved(static_cast<std::size_t>(got), Clock::now());
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EAGAIN && errno != EINTR) return 0;
        if (server_.wait(fd_, POLLIN, nullptr, deadline) != WaitResult::ready) return 0;
    }
    return 0;
}

bool BlockingConnection::write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        if (server_.is_abandoned()) return false;
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if ((errno != EAGAIN && errno != EINTR) || !wait_to_write()) {
            return false;
        }
    }
    return true;
}

// Progress is what the client has taken, which may be long before there is room for more.
bool BlockingConnection::wait_to_write() {
    std::size_t untaken = untaken_bytes(fd_);
    Clock::time_point deadline = writing_.wait(Clock::now());
    for (;;) {
        const WaitResult result = server_.wait(fd_, POLLOUT, nullptr, deadline);
        const Clock::time_point now = Clock::now();
        const std::size_t left = untaken_bytes(fd_);
        deadline = writing_.moved(untaken - std::min(left, untaken), now);
        untaken = left;
        if (result != WaitResult::timed_out) return result == WaitResult::ready;
        if (deadline <= now) return false;
    }
}

bool BlockingConnection::is_lost() const { return server_.is_abandoned() || was_reset(fd_); }

bool BlockingConnection::says_close() const { return server_.rule().is_on() && server_.worker().draining(); }

bool BlockingConnection::wait_for(std::chrono::milliseconds duration) {
    return server_.wait(-1, 0, nullptr, Clock::now() + duration) == WaitResult::timed_out;
}

void BlockingConnection::finish() {
    if (!server_.rule().is_on()) return;
    half_close(fd_);
    const BlockingOptions& options = server_.options();
    const Clock::time_point end = Clock::now() + std::max(options.linger, options.transfer_period);
    std::array<char, 16 * 1024> rest;
    ssize_t got = 1;
    while (got > 0 && !server_.is_abandoned()) {
        const Clock::time_point deadline = std::min(Clock::now() + options.linger, end);
        if (server_.wait(fd_, POLLIN, nullptr, deadline) != WaitResult::ready) return;
        got = ::recv(fd_, rest.data(), rest.size(), 0);
    }
}

BlockingServer::BlockingServer(Worker& worker, Listener listener, Handler handler, BlockingOptions options)
    : impl_(std::make_shared<BlockingConnection::Impl>(worker, std::move(handler), options)) {
    BlockingConnection::Impl::register_callbacks(impl_);
    impl_->accept_from(std::move(listener));
}

BlockingServer::~BlockingServer() {
    if (is_worker_process()) {
        impl_->end();
    } else {
        // In a forked child the threads do not exist: they cannot be joined, and what they use cannot be destroyed.
        std::ignore = new std::shared_ptr(impl_);
    }
}

}  // namespace holdfast
