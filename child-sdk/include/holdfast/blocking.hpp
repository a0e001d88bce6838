#pragma once

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
#include <optional>
#include <span>
#include <string_view>

namespace holdfast {

/// Options of a BlockingServer.
struct BlockingOptions {
    std::size_t most_connections = 512;  ///< limit; each has a thread; further ones wait in the accept queue
    std::chrono::milliseconds keep_alive_max{75'000};   ///< idle timeout while the worker serves
    std::chrono::milliseconds transfer_period{30'000};  ///< how long a client may move no byte, see TransferDeadline
    std::chrono::milliseconds linger{1'000};  ///< how long to wait for the client to close, or to send more, after us
    std::size_t min_rate =
        100;  ///< bytes per second below which a client is cut some day, see TransferDeadline; 0: none
};

/// One client connection of a BlockingServer. Use it only on its own thread, in the server's handler; it is destroyed
/// when the handler returns.
///
/// A cancel ends every wait of the connection at once; after it nothing is read or written.
class BlockingConnection {
  public:
    ~BlockingConnection();
    BlockingConnection(const BlockingConnection&) = delete;
    BlockingConnection& operator=(const BlockingConnection&) = delete;

    /// The result of wait_for_request().
    enum class Next {
        request,  ///< the first byte of a request has arrived
        end       ///< there will be no further request: return from the handler
    };

    /// Waits for the next request as an idle connection, by the rules of KeepAlive: a drain shortens the wait, and a
    /// drain that is taken back restores it. Call it when all bytes that were read have been used.
    Next wait_for_request();

    /// Reads available bytes; blocks until there are any. Returns 0 if the client has closed the connection or has sent
    /// nothing for too long (BlockingOptions::transfer_period). Read a large body in parts with it.
    std::size_t read_some(std::span<char> buffer);

    /// Writes all bytes. Returns false if the client has closed the connection or has taken nothing for too long
    /// (BlockingOptions::transfer_period). A response may be written in parts.
    bool write_all(std::string_view bytes);

    /// Whether no response can reach the client any more, because it has reset or closed the connection or the worker
    /// was cancelled: work for it may stop early.
    bool is_lost() const;

    /// The session that makes the drain wait for this connection. A connection that lasts longer than its requests, for
    /// example a WebSocket, gives it a name (Session::set_name) and its own deadline (Session::set_leave_within).
    Session& session() { return session_; }

    /// Whether the response must contain "Connection: close". Return from the handler after such a response.
    bool says_close() const;

    /// Blocks for `duration`, for example in place of work that a request needs. Returns false if the worker was
    /// cancelled: do not respond any more.
    bool wait_for(std::chrono::milliseconds duration);

    /// The socket, for socket options and addresses. Non-blocking; owned by this object.
    int fd() const { return fd_; }

  private:
    friend class BlockingServer;
    class Impl;
    BlockingConnection(Impl& server, int fd, Session session);
    bool wait_to_write();
    void finish();

    Impl& server_;
    const int fd_;
    Session session_;
    TransferDeadline reading_, writing_;
};

/// Serves every connection on its own thread with plain blocking code. It registers its own stage callbacks: a pause
/// stops accepting and leaves connections alone, a drain closes idle connections by the rules of KeepAlive, a cancel
/// closes all of them.
///
///     holdfast::BlockingServer server(worker, worker.listen("http", ":8080"), [&](auto& connection) {
///         while (connection.wait_for_request() == holdfast::BlockingConnection::Next::request) {
///             ...  // read_some(), write_all(); return if the answer said "Connection: close"
///         }
///     });
///
/// When the handler returns, the server closes the sending half, reads the client's last bytes until the client closes
/// as well (until it sends nothing for BlockingOptions::linger, at most for transfer_period), and closes the
/// connection. If the handler throws, the exception is written to stderr and the connection is closed at once.
///
/// A request is counted by the handler, with Worker::begin_request; a client that goes away changes nothing until the
/// handler has returned.
class BlockingServer {
  public:
    using Handler = std::function<void(BlockingConnection&)>;  ///< serves one connection until it ends

    /// Takes ownership of the listener and serves at once. Create it before Worker::ready(); it must live until
    /// Worker::wait() has returned. `worker` and everything that the handler uses must outlive it. Throws
    /// std::system_error.
    BlockingServer(Worker& worker, Listener listener, Handler handler, BlockingOptions options = {});

    /// Ends every connection as a cancel does, and waits until the handlers have returned.
    ~BlockingServer();

    BlockingServer(const BlockingServer&) = delete;
    BlockingServer& operator=(const BlockingServer&) = delete;

  private:
    std::shared_ptr<BlockingConnection::Impl> impl_;
};

}  // namespace holdfast
