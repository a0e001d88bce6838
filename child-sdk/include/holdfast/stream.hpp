#pragma once

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <holdfast/acceptor.hpp>
#include <holdfast/detail/callback_guard.hpp>
#include <holdfast/keep_alive.hpp>
#include <holdfast/worker.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace holdfast {

class StreamServer;

/// One connection of a request-response protocol in an event loop. Implements when the connection may read, write and
/// close, by the rules of KeepAlive. It depends on no protocol and no event loop: the server's handler parses the
/// bytes, and a derived class for an event loop (holdfast/epoll.hpp, holdfast/libuv.hpp) transfers them. Not
/// synchronised: use it only on the thread of the loop.
class StreamConnection : public std::enable_shared_from_this<StreamConnection> {
  public:
    using Clock = KeepAlive::Clock;  ///< the clock of the deadlines
    /// Passed to answer().
    enum class After { keep, close };  ///< what to do with the connection when the response is written

    virtual ~StreamConnection() = default;
    StreamConnection(const StreamConnection&) = delete;
    StreamConnection& operator=(const StreamConnection&) = delete;

    /// Received bytes that the handler has not consumed.
    std::string_view input() const { return input_; }

    /// Whether the response must contain "Connection: close" (and pass After::close).
    bool says_close() const;

    /// Keeps the request counted until its response is written or the connection is lost.
    void hold(Request request) { request_ = std::move(request); }

    /// Answers the request that the handler consumed, immediately or later. Has no effect if the connection was lost.
    void answer(std::string bytes, After after) {
        if (output_ || (state_ != State::offering && state_ != State::working)) return;
        output_ = std::move(bytes);
        after_ = after;
        if (state_ == State::working) send_output();
    }

    /// Closes the connection now, in any state.
    void abandon();

  protected:
    /// Created for a connection that was just accepted.
    StreamConnection(StreamServer& server, Session session) : server_(server), session_(std::move(session)) {}

    /// @name Implemented by the derived class for an event loop.
    /// @{
    virtual int socket() const = 0;
    virtual void start_reading() = 0;  ///< leads to a call of received(), ended() or broken()
    virtual void stop_reading() = 0;
    virtual void send(std::string_view bytes) = 0;              ///< valid until sent() or broken() is called
    virtual void set_deadline(Clock::time_point deadline) = 0;  ///< replaces the previous deadline; leads to overdue()
    virtual void clear_deadline() = 0;
    virtual void end_sending() { half_close(socket()); }
    virtual void close_socket() = 0;
    /// @}

    /// @name Called by the derived class for an event loop.
    /// @{
    /// Bytes from the client have arrived.
    void received(std::string_view bytes) {
        if (state_ == State::lingering || state_ == State::closed) return;
        input_ += bytes;
        if (input_.size() > max_input_bytes) return abandon();
        if (state_ == State::idle || state_ == State::receiving) process_input();
    }
    void ended() { abandon(); }   ///< the client has closed its side
    void broken() { abandon(); }  ///< the connection was lost
    void sent();                  ///< everything passed to send() was written
    void overdue();               ///< the deadline has passed
                                  /// @}

  private:
    friend class StreamServer;
    // offering: the handler examines the input. working: it has consumed a request and will answer it.
    enum class State { idle, receiving, offering, working, answering, answered, lingering, closed };
    static constexpr std::size_t max_input_bytes = std::size_t{66} << 20;
    static constexpr std::chrono::seconds transfer_timeout{30};  // to read one request, and to write one response

    void become_idle();
    void update_idle_deadline();
    void process_input();
    void call_handler();
    void send_output() {
        state_ = State::answering;
        set_deadline(Clock::now() + transfer_timeout);
        send(*output_);
    }
    void finish();

    StreamServer& server_;
    Session session_;
    Request request_;
    State state_ = State::idle;
    bool is_processing_input_ = false;
    After after_ = After::keep;
    Clock::time_point idle_since_;
    std::string input_;
    std::optional<std::string> output_;
};

/// Accepts connections in an event loop, and registers its own stage callbacks, which must run on the thread of the
/// loop (WorkerOptions::Drive::dispatch, or WorkerOptions::post). Pause: empties the accept queue and stops accepting.
/// Drain: the same, and connections are closed by the rules of KeepAlive. Run: resumes. Cancel: closes everything.
///
/// Base class of the servers for particular event loops. The worker and the server must outlive the last iteration of
/// the loop.
class StreamServer {
  public:
    /// Examines the input of a connection. Returns the size in bytes of the request that it consumes and answers
    /// (immediately or later), or 0 if the request is incomplete. For invalid input it calls connection->abandon().
    using Serve = std::function<std::size_t(const std::shared_ptr<StreamConnection>& connection)>;

    virtual ~StreamServer() = default;
    StreamServer(const StreamServer&) = delete;
    StreamServer& operator=(const StreamServer&) = delete;

  protected:
    /// Registers its callbacks with the worker. Create it before Worker::ready().
    StreamServer(Worker& worker, Listener listener, Serve serve)
        : worker_(worker),
          listener_(std::move(listener)),
          serve_(std::move(serve)),
          keep_alive_({.min = worker.keep_alive_min()}) {
        worker_.on_pause(callback_guard_.bind([](StreamServer& self) { self.stop_accepting(); }));
        worker_.on_drain(callback_guard_.bind([](StreamServer& self) { self.leave(); }));
        worker_.on_run(callback_guard_.bind([](StreamServer& self) { self.stay(); }));
        worker_.on_cancel(callback_guard_.bind([](StreamServer& self) {
            self.is_abandoned_ = true;  // also for connections that a drain callback still accepts after the cancel
            self.abandon_all();
        }));
    }

    /// @name Implemented by the derived class for an event loop. Each may be called repeatedly.
    /// @{
    virtual void watch_listener() = 0;   ///< calls accept_next() when the listener is readable
    virtual void ignore_listener() = 0;  ///< until watch_listener() is called
    virtual void watch_listener_later() = 0;
    /// Returns null if it fails; then closes `fd`.
    virtual std::shared_ptr<StreamConnection> adopt(int fd, Session session) = 0;
    /// @}

    /// The listener, which this object owns.
    int listener_fd() const { return listener_.fd(); }

    /// Accepts one connection. Returns false if the queue is empty or accepting has to wait.
    bool accept_next() {
        Session session = worker_.begin_session("connection");  // counted from before accept(2)
        const int fd = accept_one(listener_.fd());
        if (fd < 0) {
            const int error = errno;
            if (accept_failed_for_long(error)) {
                ignore_listener();
                watch_listener_later();
            }
            return error != EAGAIN && !accept_failed_for_long(error);
        }
        const auto connection = adopt(fd, std::move(session));
        if (connection == nullptr) return true;
        connections_.insert(connection);
        if (is_abandoned_)
            connection->abandon();
        else
            connection->become_idle();
        return true;
    }

    /// Closes every connection now. Called at the cancel, and by the destructor of the derived class.
    void abandon_all() {
        const auto connections = connections_;
        for (const auto& connection : connections) connection->abandon();
    }

  private:
    friend class StreamConnection;
    static constexpr int max_queue_length = 4096;  // net.core.somaxconn; under load the queue may never be empty

    void leave() {
        stop_accepting();
        keep_alive_.leave(KeepAlive::Clock::now());
        for (const auto& connection : connections_) connection->update_idle_deadline();
    }

    void stay() {
        keep_alive_.stay();
        for (const auto& connection : connections_) connection->update_idle_deadline();
        watch_listener();
    }

    void stop_accepting() {
        pollfd waiting{.fd = listener_.fd(), .events = POLLIN, .revents = 0};
        for (int i = 0; i<max_queue_length&& ::poll(&waiting, 1, 0)> 0 && accept_next(); ++i) continue;
        ignore_listener();
    }

    Worker& worker_;
    Listener listener_;
    Serve serve_;
    KeepAlive keep_alive_;
    std::unordered_set<std::shared_ptr<StreamConnection>> connections_;
    bool is_abandoned_ = false;
    detail::CallbackGuard<StreamServer> callback_guard_{*this};
};

inline bool StreamConnection::says_close() const { return server_.keep_alive_.says_close(); }

inline void StreamConnection::abandon() {
    if (state_ == State::closed) return;
    state_ = State::closed;
    const auto self = shared_from_this();
    close_socket();
    request_.end();
    session_.end();
    server_.connections_.erase(self);
}

inline void StreamConnection::become_idle() {
    state_ = State::idle;
    idle_since_ = Clock::now();
    start_reading();
    set_deadline(server_.keep_alive_.idle_deadline(idle_since_));
}

inline void StreamConnection::update_idle_deadline() {
    if (state_ == State::idle) set_deadline(server_.keep_alive_.idle_deadline(idle_since_));
}

// Handles pipelined requests, for as long as their responses can be written at once.
inline void StreamConnection::process_input() {
    if (is_processing_input_) return;
    const auto self = shared_from_this();
    is_processing_input_ = true;
    do {
        call_handler();
    } while (state_ == State::answered);
    is_processing_input_ = false;
}

inline void StreamConnection::call_handler() {
    if (input_.empty()) return become_idle();
    const State before = std::exchange(state_, State::offering);
    const std::size_t taken = server_.serve_(shared_from_this());
    if (state_ == State::closed) return;
    if (taken == 0) {
        state_ = State::receiving;
        start_reading();
        if (before != State::receiving) set_deadline(Clock::now() + transfer_timeout);
        return;
    }
    input_.erase(0, taken);
    state_ = State::working;
    stop_reading();
    clear_deadline();
    if (output_) send_output();
}

inline void StreamConnection::sent() {
    output_.reset();
    request_.end();
    const KeepAlive& keep_alive = server_.keep_alive_;
    if (after_ == After::close || (!keep_alive.is_on() && keep_alive.is_leaving())) return finish();
    state_ = State::answered;
    process_input();
}

// Closes the sending half and reads the rest: closing a socket with unread bytes would reset the connection and destroy
// a response in transit.
inline void StreamConnection::finish() {
    state_ = State::lingering;
    end_sending();
    start_reading();
    set_deadline(Clock::now() + server_.keep_alive_.limits().linger);
}

inline void StreamConnection::overdue() {
    if (state_ != State::idle || !server_.keep_alive_.is_on()) return abandon();
    if (!has_bytes(socket())) return finish();
    state_ = State::receiving;  // a request arrived just in time; the loop will report it
    set_deadline(Clock::now() + transfer_timeout);
}

}  // namespace holdfast
