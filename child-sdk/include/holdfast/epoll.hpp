#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <holdfast/stream.hpp>
#include <holdfast/worker.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

/// An event loop on epoll(7), and servers that run in it.
namespace holdfast::epoll {

/// A single-threaded event loop on epoll(7): file descriptors, timers, and the stages of a worker created with
/// WorkerOptions::Drive::dispatch. Not synchronised: use it only on the thread that calls run().
class Loop {
  public:
    using Clock = std::chrono::steady_clock;                  ///< the clock of the timers
    using Ready = std::function<void(std::uint32_t events)>;  ///< called with the events of epoll_wait(2)

    /// A pending timer, for cancel(); an empty value is no timer.
    using Timer = std::pair<Clock::time_point, std::uint64_t>;

    /// `worker` must outlive the loop. Throws std::system_error.
    explicit Loop(Worker& worker) : worker_(worker), epoll_fd_(::epoll_create1(EPOLL_CLOEXEC)) {
        if (epoll_fd_ < 0) throw std::system_error(errno, std::generic_category(), "cannot create an epoll instance");
        watch(worker_.fd(), EPOLLIN, [this](std::uint32_t) { worker_.dispatch(); });
    }
    ~Loop() { ::close(epoll_fd_); }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Calls `ready` for these events of a descriptor (level-triggered; errors are included) until forget(). Does not
    /// own the descriptor. If the descriptor is already watched, replaces events and callback. Throws
    /// std::system_error.
    void watch(int fd, std::uint32_t events, Ready ready) {
        const auto [place, is_new] = watched_.insert_or_assign(fd, std::make_shared<Ready>(std::move(ready)));
        epoll_event event{.events = events, .data = {.fd = fd}};
        if (::epoll_ctl(epoll_fd_, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0) return;
        watched_.erase(place);
        throw std::system_error(errno, std::generic_category(), "cannot watch a descriptor");
    }
    /// Stops watching a descriptor; call it before the descriptor is closed. Unknown descriptors are ignored.
    void forget(int fd) {
        if (watched_.erase(fd) > 0) ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
    }

    /// Calls `call` once, at `when` or shortly afterwards.
    Timer at(Clock::time_point when, std::function<void()> call) {
        const Timer timer{when, ++timers_made_};
        timers_.emplace(timer, std::move(call));
        return timer;
    }
    /// Calls `call` once, after `delay`.
    Timer after(std::chrono::milliseconds delay, std::function<void()> call) {
        return at(Clock::now() + delay, std::move(call));
    }
    /// Cancels a timer. Timers that have fired, and empty ones, are ignored.
    void cancel(const Timer& timer) { timers_.erase(timer); }

    /// Runs the loop until the worker has released everything. Returns the result of Worker::wait().
    int run() {
        while (!worker_.result()) turn();
        return *worker_.result();
    }

  private:
    void turn() {
        std::array<epoll_event, 64> events{};
        const int count = ::epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), milliseconds_left());
        for (int i = 0; i < count; ++i) {
            const epoll_event& event = events[static_cast<std::size_t>(i)];
            const auto found = watched_.find(event.data.fd);
            if (found == watched_.end()) continue;
            const std::shared_ptr<Ready> ready = found->second;  // the callback may call forget() on itself
            (*ready)(event.events);
        }
        const Clock::time_point now = Clock::now();
        while (!timers_.empty() && timers_.begin()->first.first <= now) {
            const auto due = timers_.extract(timers_.begin());
            due.mapped()();
        }
    }
    int milliseconds_left() const {
        if (timers_.empty()) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first.first - Clock::now());
        return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 60'000));
    }

    Worker& worker_;
    int epoll_fd_;
    std::unordered_map<int, std::shared_ptr<Ready>> watched_;
    std::map<Timer, std::function<void()>> timers_;
    std::uint64_t timers_made_ = 0;
};

/// A connection in a Loop. Created by Server.
class Connection : public StreamConnection {
  public:
    /// Takes ownership of the descriptor, non-blocking or not.
    Connection(Loop& loop, int fd, StreamServer& server, Session session)
        : StreamConnection(server, std::move(session)), loop_(loop), fd_(fd) {}
    ~Connection() override { close_now(); }

  protected:
    int socket() const override { return fd_; }
    void start_reading() override {
        is_reading_ = true;
        watch();
    }
    void stop_reading() override {
        is_reading_ = false;
        watch();  // also for errors only: a client that disconnects is still noticed
    }
    // Within sent() it sends in the next turn of the loop, so that a long response in parts leaves time for others.
    void send(std::string_view bytes) override {
        rest_ = bytes;
        if (is_reporting_) return watch();
        send_more();
    }
    std::size_t unsent_bytes() const override { return rest_.size(); }
    void set_deadline(Clock::time_point deadline) override {
        clear_deadline();
        deadline_ = loop_.at(deadline, [this] { overdue(); });
    }
    void clear_deadline() override { loop_.cancel(deadline_); }
    void close_socket() override { close_now(); }

  private:
    void watch() {
        if (fd_ < 0) return;
        const std::uint32_t events = (is_reading_ ? EPOLLIN : 0U) | (rest_.empty() ? 0U : EPOLLOUT);
        if (std::exchange(watched_, events) == events) return;
        loop_.watch(fd_, events, [this](std::uint32_t ready) { on_ready(ready); });
    }
    void on_ready(std::uint32_t ready) {
        const auto self = shared_from_this();
        const bool is_sending = !rest_.empty();
        if (is_sending && (ready & ~std::uint32_t{EPOLLIN}) != 0) send_more();
        if (fd_ < 0) return;
        if (is_reading_ && (ready & EPOLLIN) != 0) return receive();
        if (!is_sending && (ready & (EPOLLERR | EPOLLHUP)) != 0) broken();
    }
    void receive() {
        std::array<char, 16 * 1024> bytes;
        const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (count > 0) return received({bytes.data(), static_cast<std::size_t>(count)});
        if (count == 0) return ended();
        if (errno != EAGAIN && errno != EINTR) broken();
    }
    void send_more() {
        const auto self = shared_from_this();
        while (!rest_.empty()) {
            const ssize_t count = ::send(fd_, rest_.data(), rest_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && errno == EAGAIN) return watch();
            if (count < 0) return broken();
            rest_.remove_prefix(static_cast<std::size_t>(count));
        }
        is_reporting_ = true;
        sent();
        is_reporting_ = false;
        watch();
    }
    void close_now() {
        if (fd_ < 0) return;
        clear_deadline();
        loop_.forget(fd_);
        ::close(std::exchange(fd_, -1));
        rest_ = {};
    }

    Loop& loop_;
    int fd_;
    std::optional<std::uint32_t> watched_;
    bool is_reading_ = false;
    bool is_reporting_ = false;  // sent() is running
    Loop::Timer deadline_{};
    std::string_view rest_;  // what is unsent of the part
};

/// Serves a listener on a Loop. See StreamServer.
class Server : public StreamServer {
  public:
    /// Accepts at once. `worker` and `loop` must outlive it.
    Server(Worker& worker, Loop& loop, Listener listener, Serve serve, StreamOptions options = {})
        : StreamServer(worker, std::move(listener), std::move(serve), std::move(options)), loop_(loop) {
        watch();
    }
    ~Server() override {
        abandon_all();
        loop_.forget(listener_fd());
        loop_.cancel(retry_);
    }

  protected:
    void watch_listener() override { watch(); }
    void ignore_listener() override {
        loop_.forget(listener_fd());
        loop_.cancel(retry_);
    }
    void watch_listener_later() override {
        retry_ = loop_.after(std::chrono::milliseconds(50), [this] { watch(); });
    }
    std::shared_ptr<StreamConnection> adopt(int fd, Session session) override {
        return std::make_shared<Connection>(loop_, fd, *this, std::move(session));
    }

  private:
    void watch() {
        loop_.watch(listener_fd(), EPOLLIN, [this](std::uint32_t) { accept_next(); });
    }

    Loop& loop_;
    Loop::Timer retry_{};
};

}  // namespace holdfast::epoll
