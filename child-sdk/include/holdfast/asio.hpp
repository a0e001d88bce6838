#pragma once

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <holdfast/acceptor.hpp>
#include <holdfast/keep_alive.hpp>
#include <holdfast/listener.hpp>
#include <holdfast/request.hpp>
#include <holdfast/transfer.hpp>
#include <holdfast/worker.hpp>
#include <memory>
#include <utility>

namespace holdfast {

/// Options of an AsioServer.
struct AsioOptions {
    std::chrono::milliseconds keep_alive_max{75'000};  ///< idle timeout while the worker serves
    std::chrono::milliseconds linger{1'000};  ///< how long to wait for the client to close, or to send more, after us
    std::chrono::milliseconds transfer_period{30'000};  ///< how long a client may move no byte, see TransferDeadline
    std::size_t min_rate =
        100;  ///< bytes per second below which a client is cut some day, see TransferDeadline; 0: none
};

/// One client connection of an AsioServer, with its own strand. Use it only in the server's handler; it is destroyed
/// when the handler returns. A cancel of the worker cancels the operation that the handler awaits: its next co_await
/// throws operation_aborted.
///
/// It is a stream of Asio (AsyncReadStream and AsyncWriteStream): pass it to async_read, async_write and the functions
/// of Beast. Each of its operations has a deadline of progress, AsioOptions::transfer_period.
///
/// Count a request in the handler with Worker::begin_request. A client that goes away, or a cancel, ends the coroutine
/// only where it awaits something, and the request with the coroutine's frame. Work on another executor that the
/// handler awaits keeps the frame; work that it does not await must own the Request (std::move it there).
class AsioConnection : public std::enable_shared_from_this<AsioConnection> {
  public:
    using Socket = boost::asio::generic::stream_protocol::socket;  ///< TCP or unix
    using executor_type = Socket::executor_type;                   ///< the strand of the connection
    using Clock = std::chrono::steady_clock;                       ///< the clock of the deadlines

    /// The result of wait_for_request().
    enum class Next {
        request,  ///< the first byte of a request has arrived
        end       ///< there will be no further request: return from the handler
    };

    /// Created by AsioServer.
    AsioConnection(Socket socket, Session session, Worker& worker, AsioOptions options);
    AsioConnection(const AsioConnection&) = delete;
    AsioConnection& operator=(const AsioConnection&) = delete;

    /// The executor of the socket.
    executor_type get_executor() { return socket_.get_executor(); }

    /// Reads some bytes. Ends with operation_aborted if the client has sent nothing for too long
    /// (AsioOptions::transfer_period).
    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token);

    /// Writes some bytes. Ends with operation_aborted if the client has taken nothing for too long
    /// (AsioOptions::transfer_period).
    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token);

    /// The socket, for operations without a deadline of progress; see expires_at().
    Socket& socket() { return socket_; }

    /// Waits for the next request as an idle connection, by the rules of KeepAlive: a drain shortens the wait, and a
    /// drain that is taken back restores it. Call it when all bytes that were read have been used. Afterwards the
    /// connection has no deadline.
    boost::asio::awaitable<Next> wait_for_request();

    /// Sets a deadline for reads and writes, also those of the socket: those started from now on and not complete by
    /// then end with operation_aborted, even if they progress. Cheap enough to call for every operation.
    void expires_at(Clock::time_point deadline);
    /// Sets the deadline relative to now.
    void expires_after(Clock::duration duration) { expires_at(Clock::now() + duration); }
    /// Removes the deadline.
    void expires_never() { expires_at(Clock::time_point::max()); }

    /// Whether the response must contain "Connection: close". Return from the handler after such a response.
    bool says_close() const { return rule_.is_on() && worker_.draining(); }

    /// Whether no response can reach the client any more, because it has reset or closed the connection or the worker
    /// was cancelled: work for it may stop early.
    bool is_lost() { return is_abandoned_ || was_reset(socket_.native_handle()); }

    /// The session that makes the drain wait for this connection. A connection that lasts longer than its requests, for
    /// example a WebSocket, gives it a name (Session::set_name) and its own deadline (Session::set_leave_within).
    Session& session() { return session_; }

  private:
    friend class AsioServer;

    // One direction. `end` is the deadline of the operation in progress.
    struct Transfer {
        TransferDeadline deadline;
        Clock::time_point end = Clock::time_point::max();
    };
    template <class Buffers>
    struct ReadSome;
    template <class Buffers>
    struct WriteSome;

    void begin(Transfer& transfer);
    static void end(Transfer& transfer, std::size_t bytes);
    Clock::time_point next_deadline() const { return std::min({deadline_, reading_.end, writing_.end}); }
    void keep_deadline();
    bool has_taken();

    boost::asio::awaitable<void> finish();
    void apply(const KeepAlive& rule);
    void abandon();
    void start_timer(Clock::time_point alarm);
    void on_timer();

    Socket socket_;
    Session session_;  // makes the drain wait for this connection
    Worker& worker_;
    boost::asio::steady_timer timer_;
    boost::asio::cancellation_signal cancel_;
    KeepAlive rule_;
    const AsioOptions options_;
    Clock::time_point deadline_ = Clock::time_point::max();
    Clock::time_point alarm_ = Clock::time_point::max();  // when the timer fires; not later than any deadline
    Transfer reading_, writing_;
    std::size_t untaken_ = 0;  // when the deadline of the write was set
    Clock::time_point idle_since_;
    bool is_idle_ = false;
    bool is_abandoned_ = false;
};

/// Serves every connection with a coroutine. It registers its own stage callbacks: a pause stops accepting and leaves
/// connections alone, a drain closes idle connections by the rules of KeepAlive, a cancel closes all of them.
///
///     boost::asio::thread_pool io(1);
///     holdfast::AsioServer server(worker, worker.listen("http", ":8080"), io.get_executor(),
///                                 [&](holdfast::AsioConnection& connection) -> boost::asio::awaitable<void> {
///         while (co_await connection.wait_for_request() == holdfast::AsioConnection::Next::request) {
///             ...  // with Beast or by hand on `connection`; co_return if the answer said "Connection: close"
///         }
///     });
///
/// When the handler returns, the server closes the sending half, reads the client's last bytes until the client closes
/// as well (until it sends nothing for AsioOptions::linger, at most for transfer_period), and closes the connection. If
/// the handler throws, the connection is closed at once. boost::system::system_error is a normal end (the client
/// disconnected, a deadline passed, the worker was cancelled); any other exception is written to stderr.
///
/// Any number of threads may run the executor, because each connection has a strand. A separate thread accepts
/// connections (see Acceptor), because the acceptor of Asio relies on the listener's flags, which other processes
/// change.
class AsioServer {
  public:
    /// The coroutine that serves one connection until it ends, on that connection's strand.
    using Handler = std::function<boost::asio::awaitable<void>(AsioConnection&)>;

    /// Takes ownership of the listener and serves at once. Create it before Worker::ready(); it must live until
    /// Worker::wait() has returned. `worker` and the execution context must outlive it. Coroutines that a stopped
    /// context still holds are destroyed with the context, so whatever the handler uses must outlive the context.
    /// Throws std::system_error.
    AsioServer(Worker& worker, Listener listener, boost::asio::any_io_executor executor, Handler handler,
               AsioOptions options = {});

    /// Stops accepting and ends every connection as a cancel does; the coroutines end on the executor.
    ~AsioServer();

    AsioServer(const AsioServer&) = delete;
    AsioServer& operator=(const AsioServer&) = delete;

  private:
    class State;

    std::shared_ptr<State> state_;  // outlives the server if a coroutine still uses it
    std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace holdfast

#include <holdfast/detail/asio_connection.hpp>
#include <holdfast/detail/asio_server.hpp>
