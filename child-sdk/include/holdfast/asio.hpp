#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <holdfast/acceptor.hpp>
#include <holdfast/keep_alive.hpp>
#include <holdfast/listener.hpp>
#include <holdfast/request.hpp>
#include <holdfast/worker.hpp>
#include <memory>
#include <utility>

namespace holdfast {

/// What an AsioServer does with its connections.
struct AsioOptions {
    std::chrono::milliseconds keep_alive_max{75'000};  ///< idle, while the worker serves
    std::chrono::milliseconds linger{1'000};           ///< for the client to close after us
};

/// One client of an AsioServer, with a strand of its own: used in the server's handler only, and dead when that
/// returns. A cancel of the worker cancels whatever the handler waits for: its next co_await throws operation_aborted.
class AsioConnection : public std::enable_shared_from_this<AsioConnection> {
  public:
    using Socket = boost::asio::generic::stream_protocol::socket;  ///< TCP and unix alike
    using Clock = std::chrono::steady_clock;                       ///< of its deadlines

    /// What wait_for_request() has waited for.
    enum class Next {
        request,  ///< its first byte is there
        end       ///< there will be none: return from the handler
    };

    /// Made by AsioServer.
    AsioConnection(Socket socket, Session session, Worker& worker, AsioOptions options);
    AsioConnection(const AsioConnection&) = delete;
    AsioConnection& operator=(const AsioConnection&) = delete;

    /// To read from and to write to, as it is or as the lowest layer of something else.
    Socket& socket() { return socket_; }

    /// Waits as an idle connection does, by the rule of KeepAlive: a drain that begins meanwhile shortens the wait, one
    /// that is taken back makes it long again. To be called when everything that was read has been used. Leaves the
    /// connection without a deadline.
    boost::asio::awaitable<Next> wait_for_request();

    /// What is read or written from now on and not done by then ends with operation_aborted. Cheap: may be called for
    /// every operation.
    void expires_at(Clock::time_point deadline);
    /// The same, from now on.
    void expires_after(Clock::duration duration) { expires_at(Clock::now() + duration); }
    /// No deadline any more.
    void expires_never() { expires_at(Clock::time_point::max()); }

    /// Whether an answer given now has to say "Connection: close". After such an answer return from the handler.
    bool says_close() const { return rule_.is_on() && worker_.draining(); }

  private:
    friend class AsioServer;

    boost::asio::awaitable<void> finish();
    void apply(const KeepAlive& rule);
    void abandon();
    void start_timer(Clock::time_point alarm);
    void on_timer();

    Socket socket_;
    Session session_;  // the drain waits for this connection
    Worker& worker_;
    boost::asio::steady_timer timer_;
    boost::asio::cancellation_signal cancel_;
    KeepAlive rule_;
    Clock::time_point deadline_ = Clock::time_point::max();
    Clock::time_point alarm_ = Clock::time_point::max();  // when the timer fires: not after the deadline, if at all
    Clock::time_point idle_since_;
    bool is_idle_ = false;
    bool is_abandoned_ = false;
};

/// Serves every connection with a coroutine, and takes part in the stages by itself: a pause stops accepting and
/// touches no connection, the drain ends idle ones by the rule of KeepAlive, the cancel ends all of them.
///
///     boost::asio::thread_pool io(1);
///     holdfast::AsioServer server(worker, worker.listen("http", ":8080"), io.get_executor(),
///                                 [&](holdfast::AsioConnection& connection) -> boost::asio::awaitable<void> {
///         while (co_await connection.wait_for_request() == holdfast::AsioConnection::Next::request) {
///             ...  // connection.socket(), with Beast or by hand; co_return if the answer said "Connection: close"
///         }
///     });
///
/// When the handler returns, the sending half is closed, the client's last bytes are read until it closes as well
/// (AsioOptions::linger at most), and then the connection is closed. If it throws, the connection is closed at once:
/// boost::system::system_error is a usual end (the client went away, the time was over, all was cancelled), anything
/// else is reported on stderr.
///
/// Any number of threads may run the executor: each connection has a strand. Accepting is done by a thread of its own
/// (see Acceptor), because asio's acceptor relies on the listener's flags, which others change.
class AsioServer {
  public:
    /// The coroutine that serves one connection to its end, on that connection's strand.
    using Handler = std::function<boost::asio::awaitable<void>(AsioConnection&)>;

    /// Takes the listener over and serves at once, before Worker::ready(). `worker` and the execution context have to
    /// outlive it; it has to live until Worker::wait() returned. Coroutines that a stopped context still holds are
    /// destroyed with it: what the handler uses has to outlive the context. Throws std::system_error.
    AsioServer(Worker& worker, Listener listener, boost::asio::any_io_executor executor, Handler handler,
               AsioOptions options = {});

    /// Accepts no more, and ends every connection as the cancel does: their coroutines end on the executor.
    ~AsioServer();

    AsioServer(const AsioServer&) = delete;
    AsioServer& operator=(const AsioServer&) = delete;

  private:
    class State;

    std::shared_ptr<State> state_;  // outlives the server where a coroutine does
    std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace holdfast

#include <holdfast/detail/asio_connection.hpp>
#include <holdfast/detail/asio_server.hpp>
