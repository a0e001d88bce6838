#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <holdfast/acceptor.hpp>
#include <holdfast/keep_alive.hpp>
#include <holdfast/listener.hpp>
#include <holdfast/request.hpp>
#include <holdfast/worker.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace holdfast {

/// What a BlockingServer does with its connections.
struct BlockingOptions {
    std::size_t most_connections = 512;                 ///< at a time, each with a thread; others wait in the queue
    std::chrono::milliseconds keep_alive_max{75'000};   ///< idle, while the worker serves
    std::chrono::milliseconds transfer_period{30'000};  ///< to read one request; to write one answer
    std::chrono::milliseconds linger{1'000};            ///< for the client to close after us
};

/// One client of a BlockingServer. Used on its own thread only, by the server's handler, and dead when that returns.
///
/// When the worker is cancelled, every wait in it ends at once; from then on nothing is read or written.
class BlockingConnection {
  public:
    ~BlockingConnection();
    BlockingConnection(const BlockingConnection&) = delete;
    BlockingConnection& operator=(const BlockingConnection&) = delete;

    /// What wait_for_request() has waited for.
    enum class Next {
        request,  ///< its first byte is there
        end       ///< there will be none: return from the handler
    };

    /// Waits as an idle connection does, by the rule of KeepAlive: a drain that begins meanwhile shortens the wait, one
    /// that is taken back makes it long again. To be called when everything that was read has been used. Gives the
    /// next request BlockingOptions::transfer_period to be read.
    Next wait_for_request();

    /// Reads what there is, and waits for it if there is nothing. 0: the client has closed, or the time is over.
    std::size_t read_some(std::span<char> buffer);

    /// False: the client has closed, or the time is over.
    bool write_all(std::string_view bytes);

    /// Whether an answer given now has to say "Connection: close". After such an answer return from the handler.
    bool says_close() const;

    /// Waits so long, as for something that a request needs. False: cancelled, do not answer any more.
    bool wait_for(std::chrono::milliseconds duration);

    /// For options and addresses. Non-blocking; owned by this object.
    int fd() const { return fd_; }

  private:
    friend class BlockingServer;
    class Impl;
    BlockingConnection(Impl& server, int fd, Session session);
    void finish();

    Impl& server_;
    const int fd_;
    Session session_;
    KeepAlive::Clock::time_point read_deadline_;
};

/// Serves every connection on a thread of its own, with plain blocking code, and takes part in the stages by itself: a
/// pause stops accepting and touches no connection, the drain ends idle ones by the rule of KeepAlive, the cancel ends
/// all of them.
///
///     holdfast::BlockingServer server(worker, worker.listen("http", ":8080"), [&](auto& connection) {
///         while (connection.wait_for_request() == holdfast::BlockingConnection::Next::request) {
///             ...  // read_some(), write_all(); return if the answer said "Connection: close"
///         }
///     });
///
/// When the handler returns, the sending half is closed, the client's last bytes are read until it closes as well
/// (BlockingOptions::linger at most), and then the connection is closed. If it throws, that is reported on stderr and
/// the connection is closed at once.
class BlockingServer {
  public:
    using Handler = std::function<void(BlockingConnection&)>;  ///< serves one connection to its end

    /// Takes the listener over and serves at once, before Worker::ready(). `worker`, and all that the handler uses,
    /// have to outlive it; it has to live until Worker::wait() returned. Throws std::system_error.
    BlockingServer(Worker& worker, Listener listener, Handler handler, BlockingOptions options = {});

    /// Ends every connection as the cancel does, and waits for the handlers to return.
    ~BlockingServer();

    BlockingServer(const BlockingServer&) = delete;
    BlockingServer& operator=(const BlockingServer&) = delete;

  private:
    std::shared_ptr<BlockingConnection::Impl> impl_;
};

}  // namespace holdfast
