#pragma once

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <holdfast/acceptor.hpp>
#include <holdfast/detail/callback_guard.hpp>
#include <holdfast/keep_alive.hpp>
#include <holdfast/transfer.hpp>
#include <holdfast/worker.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace holdfast {

class StreamServer;

/// Options of a StreamServer.
struct StreamOptions {
    std::chrono::milliseconds keep_alive_max{75'000};   ///< idle timeout while the worker serves
    std::chrono::milliseconds transfer_period{30'000};  ///< how long a client may move no byte, see TransferDeadline
    std::chrono::milliseconds linger{1'000};  ///< how long to wait for the client to close, or to send more, after us
    std::size_t min_rate =
        100;  ///< bytes per second below which a client is cut some day, see TransferDeadline; 0: none

    /// How much input of a connection may wait for the handler. It limits what the handler takes as a whole, for
    /// example the head of a request; a body received in parts may be longer.
    std::size_t max_input_bytes = std::size_t{1} << 20;

    /// Called if more input waits; returns the last response of the connection, for example "431 Request Header Fields
    /// Too Large". Without it the connection is closed without a response.
    std::function<std::string(std::string_view input)> too_long{};
};

/// One connection of a request-response protocol in an event loop. Implements when the connection may read, write and
/// close, by the rules of KeepAlive. It depends on no protocol and no event loop: the server's handler parses the
/// bytes, and a derived class for an event loop (holdfast/epoll.hpp, holdfast/libuv.hpp) transfers them. Not
/// synchronised: use it only on the thread of the loop.
///
/// The server and the handler share the connection. If the client goes away, or at the cancel, only the server lets go
/// of it: a request that is being worked on stays counted, see hold().
class StreamConnection : public std::enable_shared_from_this<StreamConnection> {
  public:
    using Clock = KeepAlive::Clock;  ///< the clock of the deadlines
    /// Passed to answer().
    enum class After { keep, close };  ///< what to do with the connection when the response is written

    /// What the handler of a body wants next.
    enum class Want {
        more,      ///< call it again when there is more input, which must come within StreamOptions::transfer_period
        whenever,  ///< the same without a deadline, for a client that may be silent, for example a WebSocket
        pause,     ///< do not read until resume() is called: the handler cannot take more now
        nothing    ///< the body is complete; what follows is the next request
    };
    /// Handles input that belongs to the body of a request: uses bytes of input(), and says so with consume().
    using Receive = std::function<Want(const std::shared_ptr<StreamConnection>& connection)>;

    virtual ~StreamConnection() = default;
    StreamConnection(const StreamConnection&) = delete;
    StreamConnection& operator=(const StreamConnection&) = delete;

    /// Received bytes that the handler has not consumed.
    std::string_view input() const { return input_; }

    /// Whether the response must contain "Connection: close" (and pass After::close).
    bool says_close() const;

    /// Keeps the request counted until the handler is done with it: until its response is written; if the connection
    /// was lost, until answer() is called or the handler has let go of its last pointer to the connection.
    void hold(Request request) { request_ = std::move(request); }

    /// Whether no response can reach the client any more, because it has reset or closed the connection or the worker
    /// was cancelled: work for it may stop early.
    bool is_lost() const { return state_ == State::closed || was_reset(socket()); }

    /// The session that makes the drain wait for this connection. A connection that lasts longer than its requests, for
    /// example a WebSocket, gives it a name (Session::set_name) and its own deadline (Session::set_leave_within).
    Session& session() { return session_; }

    /// @name A body in parts. Otherwise the handler waits until the whole request is in input().
    /// @{
    /// Called in the server's handler, which then returns the size of the head: `receive` is called at once (the input
    /// may be empty) and whenever more input has arrived, until it wants nothing more, the response is given, or the
    /// connection is lost; then it is destroyed.
    void receive(Receive receive) { receive_ = std::make_shared<Receive>(std::move(receive)); }
    /// Removes bytes from the beginning of input().
    void consume(std::size_t bytes) { input_.erase(0, bytes); }
    /// Ends a pause: the handler of the body is called again, now if input waits for it. Call it from elsewhere, not
    /// from that handler.
    void resume();
    /// @}

    /// Sends a part of the response. `written`, if not empty, is called when the system has taken all of it: then is
    /// the time for the next part. If the connection is lost, `written` is destroyed without a call.
    void write(std::string part, std::function<void()> written = {});

    /// Sends the response to the request that the handler consumed, or the last part of it, immediately or later. An
    /// answer before the end of the body ends the connection. Only ends the request if the connection was lost.
    void answer(std::string bytes, After after);

    /// Closes the connection now, in any state.
    void abandon();

  protected:
    /// Created for a connection that was just accepted.
    StreamConnection(StreamServer& server, Session session);

    /// @name Implemented by the derived class for an event loop.
    /// @{
    virtual int socket() const = 0;
    virtual void start_reading() = 0;  ///< leads to calls of received(), ended() or broken()
    virtual void stop_reading() = 0;
    /// Sends one part, valid until sent() or broken() is called. May call sent() itself, but not within sent().
    virtual void send(std::string_view bytes) = 0;
    virtual std::size_t unsent_bytes() const = 0;               ///< of the part, those the system has not taken
    virtual void set_deadline(Clock::time_point deadline) = 0;  ///< replaces the previous deadline; leads to overdue()
    virtual void clear_deadline() = 0;
    virtual void end_sending() { half_close(socket()); }
    virtual void close_socket() = 0;
    /// @}

    /// @name Called by the derived class for an event loop.
    /// @{
    void received(std::string_view bytes);  ///< bytes from the client have arrived
    void ended() { abandon(); }             ///< the client has closed its side
    void broken() { abandon(); }            ///< the connection was lost
    void sent();                            ///< everything passed to send() was written
    void overdue();                         ///< the deadline has passed
                                            /// @}

  private:
    friend class StreamServer;
    // offering: the handler examines the input. serving: it has consumed a request, and receives the rest, works, or
    // answers. answered: the response is written, and further input may wait.
    enum class State { idle, receiving, offering, serving, answered, lingering, closed };
    struct Part {
        std::string bytes;
        std::function<void()> written;
    };

    void become_idle();
    void update_idle_deadline();
    void process_input();
    void call_handler();
    void wait_for_request();
    void call_receive();
    template <class Function, class Result>
    Result call_guarded(Function function, Result otherwise);
    void refuse();
    void send_next();
    void finish_response();
    void finish();
    void linger();
    std::size_t untaken() const { return unsent_bytes() + untaken_bytes(socket()); }
    void count_taken(Clock::time_point now);
    Clock::time_point next_transfer_deadline(Clock::time_point now);
    void update_transfer_deadline();

    StreamServer& server_;
    Session session_;
    Request request_;
    State state_ = State::idle;
    bool is_processing_input_ = false;
    bool is_receiving_ = false;
    Clock::time_point idle_since_;
    Clock::time_point linger_end_;
    std::string input_;
    std::shared_ptr<Receive> receive_;
    Want want_ = Want::nothing;
    std::deque<Part> output_;
    bool is_sending_ = false;
    std::optional<After> after_;  // set when the last part of the response was given
    // What the client has to do now, and what it had done of that when the deadline was last updated.
    TransferDeadline reading_, writing_;
    bool has_to_send_ = false, has_to_take_ = false;
    std::size_t received_bytes_ = 0;  // since then
    std::size_t untaken_ = 0;         // then
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
    /// (immediately or later), or 0 if the request is incomplete. Of a request whose body is received in parts
    /// (StreamConnection::receive) it consumes the head. It answers invalid input with After::close, consuming all of
    /// it, or calls connection->abandon().
    using Serve = std::function<std::size_t(const std::shared_ptr<StreamConnection>& connection)>;

    virtual ~StreamServer() = default;
    StreamServer(const StreamServer&) = delete;
    StreamServer& operator=(const StreamServer&) = delete;

  protected:
    /// Registers its callbacks with the worker. Create it before Worker::ready().
    StreamServer(Worker& worker, Listener listener, Serve serve, StreamOptions options)
        : worker_(worker),
          listener_(std::move(listener)),
          serve_(std::move(serve)),
          options_(std::move(options)),
          keep_alive_({.min = worker.keep_alive_min(), .max = options_.keep_alive_max, .linger = options_.linger}) {
        worker_.accepts(callback_guard_.bind([](StreamServer& self) { self.stop_accepting(); }),
                        callback_guard_.bind([](StreamServer& self) { self.watch_listener(); }));
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
        keep_alive_.leave(KeepAlive::Clock::now());
        for (const auto& connection : connections_) connection->update_idle_deadline();
    }

    void stay() {
        keep_alive_.stay();
        for (const auto& connection : connections_) connection->update_idle_deadline();
    }

    void stop_accepting() {
        pollfd waiting{.fd = listener_.fd(), .events = POLLIN, .revents = 0};
        for (int i = 0; i<max_queue_length&& ::poll(&waiting, 1, 0)> 0 && accept_next(); ++i) continue;
        ignore_listener();
    }

    Worker& worker_;
    Listener listener_;
    Serve serve_;
    const StreamOptions options_;
    KeepAlive keep_alive_;
    std::unordered_set<std::shared_ptr<StreamConnection>> connections_;
    bool is_abandoned_ = false;
    detail::CallbackGuard<StreamServer> callback_guard_{*this};
};

}  // namespace holdfast

#include <holdfast/detail/stream_connection.hpp>
