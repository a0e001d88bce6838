#pragma once

#include <microhttpd.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <holdfast/acceptor.hpp>
#include <holdfast/detail/callback_guard.hpp>
#include <holdfast/idle.hpp>
#include <holdfast/worker.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

/// Servers on libmicrohttpd.
namespace holdfast::microhttpd {

/// Runs a libmicrohttpd daemon with its own thread on a shared listener. The daemon never sees the listener, which it
/// would shut down for all processes when it stops: an Acceptor passes it connections. Each request is counted until
/// its response is written, or the daemon has called Settings::completed for it: not before its handler resumes a
/// suspended connection, even if the client goes away.
///
/// MHD_OPTION_CONNECTION_TIMEOUT is also the time for which a client may move no byte. A head over
/// MHD_OPTION_CONNECTION_MEMORY_LIMIT is answered with 431; the handler limits bodies, which it receives in parts. Idle
/// connections are closed by the rules of KeepAlive. After a response with "Connection: close", the daemon closes the
/// connection without lingering: a client that sends its next request before it has read that response may lose the
/// response.
///
/// All functions may be called from any thread.
class Server {
  public:
    using Clock = std::chrono::steady_clock;  ///< the clock of suspend()

    /// The arguments of MHD_start_daemon(3). Callbacks run on the daemon's thread.
    struct Settings {
        MHD_AccessHandlerCallback handler;                 ///< called for each request, see MHD_start_daemon(3)
        void* handler_argument = nullptr;                  ///< its first argument
        MHD_RequestCompletedCallback completed = nullptr;  ///< replaces MHD_OPTION_NOTIFY_COMPLETED
        void* completed_argument = nullptr;                ///< its first argument
        /// Further options, except MHD_OPTION_NOTIFY_CONNECTION. MHD_OPTION_CONNECTION_TIMEOUT is 75 s by default.
        std::vector<MHD_OptionItem> options{};
    };

    /// Starts the daemon and accepts at once. Create it before Worker::ready(); it must live until Worker::wait() has
    /// returned, and `worker` must outlive it. Throws std::runtime_error.
    Server(Worker& worker, Listener listener, Settings settings)
        : worker_(worker),
          settings_(std::move(settings)),
          idle_({.min = worker.keep_alive_min()}),
          daemon_(start(settings_.options)),
          timer_thread_([this] { run_timers(); }),
          acceptor_(worker, std::move(listener), [this](int fd, Session session) { add(fd, std::move(session)); }) {
        worker_.on_drain(callback_guard_.bind([](Server& server) { server.change([&] { server.idle_.leave(); }); }));
        worker_.on_run(callback_guard_.bind([](Server& server) { server.change([&] { server.idle_.stay(); }); }));
        worker_.on_cancel(callback_guard_.bind([](Server& server) {
            server.change([&] {
                server.idle_.cut_all();
                server.is_cancelled_ = true;
            });
        }));
    }

    ~Server() {
        callback_guard_.disconnect();
        change([this] { is_cancelled_ = is_ending_ = true; });
        timer_thread_.join();  // after it has resumed every suspended connection
        MHD_stop_daemon(daemon_);
    }

    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Calls MHD_queue_response(3), with "Connection: close" while the worker is draining. The header is added to
    /// `response`, so do not share it between requests.
    MHD_Result answer(MHD_Connection* connection, unsigned status, MHD_Response* response) {
        const bool closes = locked([this] { return idle_.keep_alive().says_close(); });
        if (closes) MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
        return MHD_queue_response(connection, status, response);
    }

    /// For handlers: suspends the connection for `duration` (shorter if the worker is cancelled) and then calls the
    /// handler again.
    void suspend(MHD_Connection* connection, std::chrono::milliseconds duration) {
        MHD_suspend_connection(connection);
        change([&] { suspended_.emplace(Clock::now() + duration, connection); });
    }

    /// For handlers of a response that lasts longer than a request: it is counted as a session from now on. `use` is
    /// called with the session of the connection, to give it a name (Session::set_name) and its own deadline
    /// (Session::set_leave_within), with a lock held.
    void as_session(MHD_Connection* connection, const std::function<void(Session&)>& use) {
        locked([&] {
            if (Session* session = idle_.session(fd_of(connection))) use(*session);
        });
        if (Exchange* const exchange = current(connection)) exchange->counted.end();
    }

  private:
    static constexpr unsigned idle_seconds = 75;

    MHD_Daemon* start(std::vector<MHD_OptionItem> options) {
        options.push_back({MHD_OPTION_END, 0, nullptr});
        MHD_Daemon* const daemon =
            MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
                             nullptr, nullptr, &Server::on_request, this,                 //
                             MHD_OPTION_NOTIFY_CONNECTION, &Server::on_connection, this,  //
                             MHD_OPTION_NOTIFY_COMPLETED, &Server::on_completed, this,    //
                             MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds,                 //
                             MHD_OPTION_ARRAY, options.data(), MHD_OPTION_END);
        if (daemon == nullptr) throw std::runtime_error("cannot start a libmicrohttpd daemon: an option is refused");
        return daemon;
    }

    // Called on the acceptor's thread; the daemon takes over the connection on its own thread.
    void add(int fd, Session session) {
        locked([&] { added_.insert_or_assign(fd, std::move(session)); });
        sockaddr_storage address{};
        socklen_t length = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        ::getpeername(fd, any, &length);
        if (MHD_add_connection(daemon_, fd, any, length) == MHD_NO) locked([&] { added_.erase(fd); });
    }

    static int fd_of(MHD_Connection* connection) {
        return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    }

    // State of one request: its count, and the pointer that the program's handler stores.
    struct Exchange {
        Request counted;
        void* state = nullptr;
    };

    // The request that a connection serves: the daemon keeps a pointer to it for each connection.
    static Exchange*& current(MHD_Connection* connection) {
        const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        return *static_cast<Exchange**>(info->socket_context);
    }

    static void on_connection(void* self, MHD_Connection* connection, void** context,
                              MHD_ConnectionNotificationCode what) {
        auto& server = *static_cast<Server*>(self);
        if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
            delete static_cast<Exchange**>(*context);
        } else {
            *context = new Exchange*(nullptr);
        }
        const int fd = fd_of(connection);
        server.locked([&] {
            if (what == MHD_CONNECTION_NOTIFY_CLOSED) return server.idle_.remove(fd);
            auto added = server.added_.extract(fd);
            if (added) server.idle_.add(fd, std::move(added.mapped()));
            server.wake_if_leaving();
        });
    }

    static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method,
                                 const char* version, const char* data, std::size_t* size, void** state) {
        auto& server = *static_cast<Server*>(self);
        if (*state == nullptr) {
            const int fd = fd_of(connection);
            if (!server.locked([&] { return server.idle_.set_busy(fd); })) return MHD_NO;
            auto* const exchange = new Exchange{server.worker_.begin_request(std::string(method) + " " + url)};
            *state = exchange;
            current(connection) = exchange;
        }
        void** const own = &static_cast<Exchange*>(*state)->state;
        return server.settings_.handler(server.settings_.handler_argument, connection, url, method, version, data, size,
                                        own);
    }

    static void on_completed(void* self, MHD_Connection* connection, void** state, MHD_RequestTerminationCode how) {
        auto& server = *static_cast<Server*>(self);
        const std::unique_ptr<Exchange> exchange(static_cast<Exchange*>(std::exchange(*state, nullptr)));
        if (exchange == nullptr) return;
        current(connection) = nullptr;
        const Settings& settings = server.settings_;
        if (settings.completed != nullptr)
            settings.completed(settings.completed_argument, connection, &exchange->state, how);
        const int fd = fd_of(connection);
        server.locked([&] {
            server.idle_.set_idle(fd);
            server.wake_if_leaving();
        });
    }

    // Ends idle connections and resumes suspended ones. Sleeps while there is nothing to do.
    void run_timers() {
        std::unique_lock lock(mutex_);
        while (!is_ending_ || !suspended_.empty()) {
            const Clock::time_point now = is_cancelled_ ? Clock::time_point::max() : Clock::now();
            if (!suspended_.empty() && suspended_.begin()->first <= now) {
                MHD_Connection* const connection = suspended_.extract(suspended_.begin()).mapped();
                lock.unlock();
                MHD_resume_connection(connection);
                lock.lock();
                continue;
            }
            Clock::time_point next = idle_.end_overdue().value_or(Clock::time_point::max());
            if (!suspended_.empty()) next = std::min(next, suspended_.begin()->first);
            wait_until(next, lock);
        }
    }

    void wait_until(Clock::time_point next, std::unique_lock<std::mutex>& lock) {
        const auto has_changed = [this] { return std::exchange(has_changed_, false); };
        if (next == Clock::time_point::max()) {
            changed_.wait(lock, has_changed);
        } else {
            changed_.wait_until(lock, next, has_changed);
        }
    }

    template <class Function>
    std::invoke_result_t<Function> locked(Function function) {
        const std::lock_guard lock(mutex_);
        return function();
    }

    // Changes state that run_timers() depends on.
    template <class Function>
    void change(Function function) {
        const std::lock_guard lock(mutex_);
        function();
        wake();
    }
    void wake() {
        has_changed_ = true;
        changed_.notify_one();
    }
    void wake_if_leaving() {
        if (idle_.keep_alive().is_leaving()) wake();
    }

    Worker& worker_;
    const Settings settings_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool has_changed_ = false;
    bool is_cancelled_ = false;
    bool is_ending_ = false;
    IdleConnections idle_;
    std::unordered_map<int, Session> added_;  // not yet reported by the daemon
    std::multimap<Clock::time_point, MHD_Connection*> suspended_;
    MHD_Daemon* daemon_;
    std::thread timer_thread_;
    Acceptor acceptor_;
    detail::CallbackGuard<Server> callback_guard_{*this};
};

}  // namespace holdfast::microhttpd
