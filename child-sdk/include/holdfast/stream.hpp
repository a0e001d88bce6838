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

/// One connection of a protocol that asks and answers in turn, in an event loop: what it may do when, after the rule of
/// KeepAlive. It knows no protocol and no loop: the bytes mean something to the server's handler, and a class for a
/// loop (holdfast/epoll.hpp, holdfast/libuv.hpp) moves them. Not synchronised: the loop's thread only.
class StreamConnection : public std::enable_shared_from_this<StreamConnection> {
  public:
    using Clock = KeepAlive::Clock;  ///< of its deadlines
    /// Said with an answer.
    enum class After { keep, close };  ///< what becomes of the connection when the answer is written

    virtual ~StreamConnection() = default;
    StreamConnection(const StreamConnection&) = delete;
    StreamConnection& operator=(const StreamConnection&) = delete;

    /// What has been received and not been taken yet.
    std::string_view input() const { return input_; }

    /// Whether an answer given now has to say "Connection: close" (and After::close then).
    bool says_close() const;

    /// Keeps the request counted until its answer is written, or the connection is lost.
    void hold(Request request) { request_ = std::move(request); }

    /// Answers the request that the handler took, at once or later. Without effect if the connection was lost.
    void answer(std::string bytes, After after) {
        if (output_ || (state_ != State::offering && state_ != State::working)) return;
        output_ = std::move(bytes);
        after_ = after;
        if (state_ == State::working) send_output();
    }

    /// Closes now, whatever is under way.
    void abandon();

  protected:
    /// Of a connection that was accepted just now.
    StreamConnection(StreamServer& server, Session session) : server_(server), session_(std::move(session)) {}

    /// @name Done by the class for a loop.
    /// @{
    virtual int socket() const = 0;
    virtual void start_reading() = 0;  ///< received(), ended() or broken() follow
    virtual void stop_reading() = 0;
    virtual void send(std::string_view bytes) = 0;  ///< stay valid until sent() or broken() is called, now or later
    virtual void set_deadline(Clock::time_point deadline) = 0;  ///< instead of the last one; overdue() follows
    virtual void clear_deadline() = 0;
    virtual void end_sending() { half_close(socket()); }
    virtual void close_socket() = 0;
    /// @}

    /// @name Told by the class for a loop.
    /// @{
    /// Bytes of the client.
    void received(std::string_view bytes) {
        if (state_ == State::lingering || state_ == State::closed) return;
        input_ += bytes;
        if (input_.size() > max_input_bytes) return abandon();
        if (state_ == State::idle || state_ == State::receiving) process_input();
    }
    void ended() { abandon(); }   ///< the client has closed its side
    void broken() { abandon(); }  ///< the connection was lost
    void sent();                  ///< all that send() was given
    void overdue();               ///< the deadline has passed
                                  /// @}

  private:
    friend class StreamServer;
    // offering: the handler looks at the input. working: it has taken a request, and will answer.
    enum class State { idle, receiving, offering, working, answering, answered, lingering, closed };
    static constexpr std::size_t max_input_bytes = std::size_t{2} << 20;
    static constexpr std::chrono::seconds transfer_timeout{30};  // for one request, and for one answer

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

/// Accepts connections in an event loop and takes part in the worker's stages, which have to be told on the loop's
/// thread (WorkerOptions::Drive::dispatch, or WorkerOptions::post). Pause: empties the queue, accepts no more. Drain:
/// the same, and connections end after the rule of KeepAlive. Run: as before. Cancel: closes everything.
///
/// Derived from by a class for a loop. Worker and server have to outlive the loop's last turn.
class StreamServer {
  public:
    /// Looks at the input of a connection: returns how many bytes of it are a request that it answers (at once or
    /// later), or 0 if bytes are missing. What is no request: connection->abandon().
    using Serve = std::function<std::size_t(const std::shared_ptr<StreamConnection>& connection)>;

    virtual ~StreamServer() = default;
    StreamServer(const StreamServer&) = delete;
    StreamServer& operator=(const StreamServer&) = delete;

  protected:
    /// Adds its callbacks to the worker: before Worker::ready().
    StreamServer(Worker& worker, Listener listener, Serve serve)
        : worker_(worker),
          listener_(std::move(listener)),
          serve_(std::move(serve)),
          keep_alive_({.min = worker.keep_alive_min()}) {
        worker_.on_pause(callback_guard_.bind([](StreamServer& self) { self.stop_accepting(); }));
        worker_.on_drain(callback_guard_.bind([](StreamServer& self) { self.leave(); }));
        worker_.on_run(callback_guard_.bind([](StreamServer& self) { self.stay(); }));
        worker_.on_cancel(callback_guard_.bind([](StreamServer& self) {
            self.is_abandoned_ = true;  // those too that a drain, told with the cancel, still accepts
            self.abandon_all();
        }));
    }

    /// @name Done by the class for a loop. Each may be called when it is so already.
    /// @{
    virtual void watch_listener() = 0;   ///< accept_next() when it is readable
    virtual void ignore_listener() = 0;  ///< for now
    virtual void watch_listener_later() = 0;
    virtual std::shared_ptr<StreamConnection> adopt(int fd, Session session) = 0;  ///< or null, and closes `fd`
    /// @}

    /// The listener, which this object owns.
    int listener_fd() const { return listener_.fd(); }

    /// Accepts one connection. False: the queue is empty, or nothing can be accepted for now.
    bool accept_next() {
        Session session = worker_.begin_session("connection");  // from before the accept on
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

    /// Closes every connection now: at the cancel, and before the class for a loop dies.
    void abandon_all() {
        const auto connections = connections_;
        for (const auto& connection : connections) connection->abandon();
    }

  private:
    friend class StreamConnection;
    static constexpr int max_queue_length = 4096;  // net.core.somaxconn: under load it may never be seen empty

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

// One request after the other, for as long as their answers can be written at once.
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

// The client sees the end, and what it still sends is read: unread bytes would reset the connection, and an answer on
// its way with it.
inline void StreamConnection::finish() {
    state_ = State::lingering;
    end_sending();
    start_reading();
    set_deadline(Clock::now() + server_.keep_alive_.limits().linger);
}

inline void StreamConnection::overdue() {
    if (state_ != State::idle || !server_.keep_alive_.is_on()) return abandon();
    if (!has_bytes(socket())) return finish();
    state_ = State::receiving;  // it has asked at the last moment: the loop will say so
    set_deadline(Clock::now() + transfer_timeout);
}

}  // namespace holdfast
