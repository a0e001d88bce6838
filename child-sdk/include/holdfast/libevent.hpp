#pragma once

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <holdfast/idle.hpp>
#include <holdfast/worker.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

/// Workers and servers on libevent.
namespace holdfast::libevent {

/// An evhttp on a listener that others share, in one thread with its event_base, for a worker that was made with
/// WorkerOptions::Drive::dispatch.
///
/// evhttp accepts by itself, and relies on O_NONBLOCK, which is everybody's: it is set anew at each wake-up before
/// evhttp is called. A sibling that clears it between that and accept(2), and takes the connection as well, makes this
/// loop block until the next client comes: do not share a listener with programs that make it blocking, or use
/// holdfast/epoll.hpp. What is idle ends by the rule of KeepAlive; an answer with "Connection: close" is followed by
/// evhttp's own close, which does not linger: a client that sends a request before it has read the answer to the one
/// before may lose that answer. libevent lets SIGPIPE through: ignore it. evhttp_set_timeout() says how long a
/// connection may be idle while the worker serves.
///
/// Not synchronised. Destroyed before evhttp_free(); worker, base and http have to outlive it.
class Server {
  public:
    /// Accepts at once. Takes evhttp_set_bevcb() for itself. Throws std::runtime_error.
    Server(Worker& worker, event_base* base, evhttp* http, Listener listener)
        : worker_(worker), base_(base), http_(http), idle_({.min = worker.keep_alive_min()}) {
        evhttp_set_bevcb(http_, &Server::on_connection, this);
        bound_ = evhttp_accept_socket_with_handle(http_, listener.fd());
        if (bound_ == nullptr) throw std::runtime_error("cannot accept: evhttp refuses the listener");
        listener_fd_ = listener.release();  // evhttp closes it
        worker_event_ = make_event(worker_.fd(), EV_READ | EV_PERSIST,
                                   [](int, short, void* self) { static_cast<Server*>(self)->is_dispatch_due_ = true; });
        accept_event_ = make_event(listener_fd_, EV_READ | EV_PERSIST,
                                   [](int, short, void* self) { static_cast<Server*>(self)->before_accept(); });
        adopt_event_ = make_event(-1, 0, [](int, short, void* self) { static_cast<Server*>(self)->adopt_accepted(); });
        timer_event_ = make_event(-1, 0, [](int, short, void*) {});  // wakes the loop up
        retry_event_ = make_event(-1, 0, [](int, short, void* self) { static_cast<Server*>(self)->accept(); });
        event_add(worker_event_.get(), nullptr);
        accept();
        register_callbacks();
    }

    ~Server() {
        accept_event_.reset();
        evhttp_del_accept_socket(http_, bound_);
        evhttp_set_bevcb(http_, nullptr, nullptr);
    }

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Turns until the worker has released everything: what Worker::wait() would return. Instead of
    /// event_base_dispatch(): a queue cannot be emptied from inside of it.
    int run() {
        while (!worker_.result()) {
            event_base_loop(base_, EVLOOP_ONCE);
            if (std::exchange(is_dispatch_due_, false)) worker_.dispatch();
            remove_dead();
            if (const auto next = idle_.end_overdue()) wake_at(*next);
        }
        return *worker_.result();
    }

    /// First in a request's callback. The result counts the request as long as it lives: until reply(). Nothing: the
    /// client had been told that the connection ends, and the request has been dropped: return.
    [[nodiscard]] std::optional<Request> begin(evhttp_request* request, std::string_view name) {
        if (idle_.set_busy(fd_of(request))) {
            evhttp_request_set_on_complete_cb(request, &Server::on_complete, this);
            return worker_.begin_request(name);
        }
        evhttp_send_reply(request, HTTP_SERVUNAVAIL, "Closing", nullptr);  // nobody reads it: it ends the connection
        return std::nullopt;
    }

    /// evhttp_send_reply(), with "Connection: close" while the worker leaves.
    void reply(evhttp_request* request, int code, const char* reason, evbuffer* body) {
        if (idle_.keep_alive().says_close())
            evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
        evhttp_send_reply(request, code, reason, body);
    }

  private:
    struct Free {
        void operator()(event* made) const { event_free(made); }
    };
    using Event = std::unique_ptr<event, Free>;
    static constexpr int max_queue_length = 4096;  // net.core.somaxconn: under load it may never be seen empty

    Event make_event(int fd, short what, event_callback_fn call) {
        Event made(event_new(base_, fd, what, call, this));
        if (made == nullptr) throw std::runtime_error("cannot watch a descriptor: libevent has no memory for it");
        return made;
    }

    void register_callbacks() {
        worker_.on_pause([this] { stop_accepting(); });
        worker_.on_drain([this] {
            stop_accepting();
            idle_.leave();
        });
        worker_.on_run([this] {
            idle_.stay();
            accept();
        });
        worker_.on_cancel([this] { idle_.cut_all(); });
    }

    evconnlistener* accepting() const { return evhttp_bound_socket_get_listener(bound_); }

    // Of two events of one descriptor libevent calls the one first that was added last.
    void accept() {
        set_nonblocking(listener_fd_);
        evconnlistener_enable(accepting());
        event_del(accept_event_.get());
        event_add(accept_event_.get(), nullptr);
        is_accepting_ = true;
    }

    // Without a descriptor left, evhttp would fail to accept again and again.
    void before_accept() {
        set_nonblocking(listener_fd_);
        const int spare = ::fcntl(listener_fd_, F_DUPFD_CLOEXEC, 0);
        if (spare >= 0) {
            ::close(spare);
            return;
        }
        ignore_listener();
        const timeval delay{.tv_sec = 0, .tv_usec = 50'000};
        event_add(retry_event_.get(), &delay);
    }

    void ignore_listener() {
        event_del(accept_event_.get());
        evconnlistener_disable(accepting());
    }

    void stop_accepting() {
        pollfd waiting{.fd = listener_fd_, .events = POLLIN, .revents = 0};
        for (int i = 0; is_accepting_ && i<max_queue_length&& ::poll(&waiting, 1, 0)> 0; ++i) {
            set_nonblocking(listener_fd_);
            // Once: without it libevent goes on for as long as anything is ready, and the worker's own descriptor is,
            // from its next command on, until dispatch() is called again, from which this may be called.
            event_base_loop(base_, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        }
        is_accepting_ = false;
        event_del(retry_event_.get());
        ignore_listener();
    }

    static void set_nonblocking(int fd) {
        const int flags = ::fcntl(fd, F_GETFL);
        if (flags >= 0 && (flags & O_NONBLOCK) == 0) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }

    // evhttp has accepted. Which descriptor it was, the bufferevent knows a little later.
    static bufferevent* on_connection(event_base* base, void* self) {
        auto* const server = static_cast<Server*>(self);
        bufferevent* const made = bufferevent_socket_new(base, -1, 0);
        if (made == nullptr) return nullptr;
        bufferevent_incref(made);
        server->accepted_.emplace_back(made, server->worker_.begin_session("connection"));
        event_active(server->adopt_event_.get(), 0, 0);
        return made;
    }

    void adopt_accepted() {
        for (auto& [made, session] : std::exchange(accepted_, {})) {
            const int fd = bufferevent_getfd(made);
            bufferevent_decref(made);
            const std::optional<ino_t> inode = inode_of(fd);
            if (!inode) continue;
            idle_.add(fd, std::move(session));
            inodes_.insert_or_assign(fd, *inode);
        }
    }

    static int fd_of(evhttp_request* request) {
        evhttp_connection* const connection = evhttp_request_get_connection(request);
        return connection == nullptr ? -1 : bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
    }

    static void on_complete(evhttp_request* request, void* self) {
        static_cast<Server*>(self)->idle_.set_idle(fd_of(request));
    }

    static std::optional<ino_t> inode_of(int fd) {
        struct stat status {};
        return ::fstat(fd, &status) == 0 ? std::optional(status.st_ino) : std::nullopt;
    }

    // evhttp tells nobody that a connection is gone which never asked anything. The descriptor does: it is closed, or
    // belongs to another connection. A look at each of them: while serving, once a second at the most.
    void remove_dead() {
        const auto now = IdleConnections::Clock::now();
        if (!idle_.keep_alive().is_leaving() && now < next_sweep_) return;
        next_sweep_ = now + std::chrono::seconds(1);
        idle_.remove_if([this](int fd) {
            const auto known = inodes_.find(fd);
            if (known != inodes_.end() && inode_of(fd) == known->second) return false;
            inodes_.erase(fd);
            return true;
        });
    }

    void wake_at(IdleConnections::Clock::time_point next) {
        const auto left = std::chrono::ceil<std::chrono::microseconds>(next - IdleConnections::Clock::now());
        const auto usec = std::max<std::int64_t>(left.count(), 0);
        const timeval delay{.tv_sec = usec / 1'000'000, .tv_usec = usec % 1'000'000};
        event_add(timer_event_.get(), &delay);
    }

    Worker& worker_;
    event_base* base_;
    evhttp* http_;
    IdleConnections idle_;
    evhttp_bound_socket* bound_ = nullptr;
    int listener_fd_ = -1;
    bool is_dispatch_due_ = false;
    bool is_accepting_ = false;
    Event worker_event_, accept_event_, adopt_event_, timer_event_, retry_event_;
    std::vector<std::pair<bufferevent*, Session>> accepted_;
    std::unordered_map<int, ino_t> inodes_;
    IdleConnections::Clock::time_point next_sweep_{};
};

}  // namespace holdfast::libevent
