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
#include <holdfast/transfer.hpp>
#include <holdfast/worker.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

/// Servers on libevent.
namespace holdfast::libevent {

/// Runs an evhttp server on a shared listener, single-threaded with its event_base, for a worker created with
/// WorkerOptions::Drive::dispatch.
///
/// evhttp accepts connections itself and relies on O_NONBLOCK, a flag that all processes share. This class sets the
/// flag at each wake-up before evhttp runs. If another process clears it between that moment and accept(2) and also
/// takes the connection, the loop blocks until the next client connects: do not share a listener with programs that
/// make it blocking, or use holdfast/epoll.hpp.
///
/// Limits and timeouts are those of evhttp: a body over evhttp_set_max_body_size() is answered with 413, a head over
/// evhttp_set_max_headers_size() with 400; evhttp_set_timeout() is also the time for which a client may move no byte.
///
/// Idle connections are closed by the rules of KeepAlive. After a response with "Connection: close", evhttp closes the
/// connection without lingering: a client that sends its next request before it has read that response may lose the
/// response. libevent does not ignore SIGPIPE: the program must. evhttp_set_timeout() sets the idle timeout while the
/// worker serves.
///
/// Not synchronised. Destroy it before evhttp_free(); worker, base and http must outlive it.
class Server {
  public:
    /// Accepts at once. Replaces the callback of evhttp_set_bevcb(). Throws std::runtime_error.
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
        timer_event_ = make_event(-1, 0, [](int, short, void*) {});  // wakes up the loop
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

    /// Runs the loop until the worker has released everything. Returns the result of Worker::wait(). Use it instead of
    /// event_base_dispatch(): the accept queue cannot be emptied from inside that function.
    int run() {
        while (!worker_.result()) {
            event_base_loop(base_, EVLOOP_ONCE);
            if (std::exchange(is_dispatch_due_, false)) worker_.dispatch();
            remove_dead();
            if (const auto next = idle_.end_overdue()) wake_at(*next);
        }
        return *worker_.result();
    }

    /// Call it first in a request's callback. The returned object counts the request; keep it with your work for the
    /// request, until reply() has been called, even if the client goes away. Returns nothing if the client had already
    /// been told that the connection ends: the request was dropped, return from the callback.
    [[nodiscard]] std::optional<Request> begin(evhttp_request* request, std::string_view name) {
        if (idle_.set_busy(fd_of(request))) {
            evhttp_request_set_on_complete_cb(request, &Server::on_complete, this);
            return worker_.begin_request(name);
        }
        evhttp_send_reply(request, HTTP_SERVUNAVAIL, "Closing",
                          nullptr);  // the client does not read it; ends the connection
        return std::nullopt;
    }

    /// Calls evhttp_send_reply(), with "Connection: close" while the worker is draining.
    void reply(evhttp_request* request, int code, const char* reason, evbuffer* body) {
        if (idle_.keep_alive().says_close())
            evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
        evhttp_send_reply(request, code, reason, body);
    }

    /// The session that makes the drain wait for the connection of a request. A response that lasts longer than a
    /// request ends its Request, and gives the session a name (Session::set_name) and its own deadline
    /// (Session::set_leave_within). Null if the client has gone.
    Session* session(evhttp_request* request) { return idle_.session(fd_of(request)); }

    /// Whether no response can reach the client any more, because it has reset or closed the connection or the worker
    /// was cancelled: work for it may stop early.
    static bool is_lost(evhttp_request* request) {
        const int fd = fd_of(request);
        return fd < 0 || was_reset(fd);
    }

  private:
    struct Free {
        void operator()(event* made) const { event_free(made); }
    };
    using Event = std::unique_ptr<event, Free>;
    static constexpr int max_queue_length = 4096;  // net.core.somaxconn; under load the queue may never be empty

    Event make_event(int fd, short what, event_callback_fn call) {
        Event made(event_new(base_, fd, what, call, this));
        if (made == nullptr) throw std::runtime_error("cannot watch a descriptor: libevent has no memory for it");
        return made;
    }

    void register_callbacks() {
        worker_.accepts([this] { stop_accepting(); }, [this] { accept(); });
        worker_.on_drain([this] { idle_.leave(); });
        worker_.on_run([this] { idle_.stay(); });
        worker_.on_cancel([this] { idle_.cut_all(); });
    }

    evconnlistener* accepting() const { return evhttp_bound_socket_get_listener(bound_); }

    // Adds the event after evhttp's: of two events of one descriptor, libevent calls the one that was added last first.
    void accept() {
        set_nonblocking(listener_fd_);
        evconnlistener_enable(accepting());
        event_del(accept_event_.get());
        event_add(accept_event_.get(), nullptr);
        is_accepting_ = true;
    }

    // Stops accepting for a moment if no descriptor is left: evhttp would retry in a busy loop.
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
        // Another worker may have shut the listener down after the end of the supervisor.
        pollfd waiting{.fd = listener_fd_, .events = POLLIN | POLLRDHUP, .revents = 0};
        const auto is_queued = [&] { return ::poll(&waiting, 1, 0) > 0 && waiting.revents == POLLIN; };
        for (int i = 0; is_accepting_ && i < max_queue_length && is_queued(); ++i) {
            set_nonblocking(listener_fd_);
            // EVLOOP_ONCE: without it libevent loops for as long as any descriptor is ready, and the worker's
            // descriptor stays ready from its next command until dispatch() is called, which may be the caller of this
            // function.
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

    // Called when evhttp accepts a connection. The bufferevent gets its descriptor a little later.
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

    // Removes connections whose descriptor was closed or belongs to another connection: evhttp does not report the end
    // of a connection that never sent a request. Checks all of them, while serving at most once a second.
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
