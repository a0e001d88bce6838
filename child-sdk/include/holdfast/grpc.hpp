#pragma once

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/stat.h>

#include <chrono>
#include <condition_variable>
#include <holdfast/acceptor.hpp>
#include <holdfast/detail/callback_guard.hpp>
#include <holdfast/worker.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <unordered_map>
#include <utility>

namespace holdfast {

/// A gRPC C++ server on a listener that others share: an Acceptor hands it connections
/// (ServerBuilder::experimental().AddExternalConnectionAcceptor), which the server's own port could not.
///
///     std::unique_ptr<grpc::Server> server;
///     holdfast::GrpcConnections connections(worker, builder, grpc::InsecureServerCredentials());
///     server = builder.BuildAndStart();
///     connections.serve(*server, worker.listen("grpc", ":50051"));
///
/// How the connections leave. A gRPC client keeps its connection for good, and is asked to leave it by GOAWAY. The only
/// call that sends one when told to is grpc::Server::Shutdown(), and it refuses at the same moment what clients send
/// before they have read it: calls are lost (2 of 1,226 in twenty restarts), and there is no way back. What asks
/// without losing any is the age of a connection (GRPC_ARG_MAX_CONNECTION_AGE_MS): GOAWAY, a round trip, and calls in
/// flight end in peace. So connections have an age from the beginning, and a draining worker waits for its last ones to
/// reach it: a drain takes up to `age` and a tenth longer than its longest call, and can be taken back by run. The
/// cancel calls Shutdown().
///
/// What does not work: to send GOAWAY at the drain; to be told by gRPC that a connection has ended (asked for every
/// 20 ms while draining).
///
/// Calls are not counted from here: hold Worker::begin_request() in the handler. All functions from any thread.
class GrpcConnections {
  public:
    /// Before BuildAndStart(). `age` (a tenth more or less) is how long a connection lives, and a drain takes.
    /// `worker` has to outlive it.
    GrpcConnections(Worker& worker, ::grpc::ServerBuilder& builder,
                    const std::shared_ptr<::grpc::ServerCredentials>& credentials,
                    std::chrono::milliseconds age = std::chrono::seconds(10))
        : worker_(worker) {
        using Type = ::grpc::ServerBuilder::experimental_type::ExternalConnectionType;
        builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, static_cast<int>(age.count()));
        external_ = builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, credentials);
    }

    /// After BuildAndStart(), before Worker::ready(): accepts at once. This object has to live until Worker::wait()
    /// returned, and `server` longer than it.
    void serve(::grpc::Server& server, Listener listener) {
        acceptor_.emplace(worker_, std::move(listener),
                          [this](int fd, Session session) { add(fd, std::move(session)); });
        server_ = &server;
        worker_.on_drain(callback_guard_.bind([](GrpcConnections& self) { self.set(Stage::drain); }));
        worker_.on_run(callback_guard_.bind([](GrpcConnections& self) { self.set(Stage::run); }));
        worker_.on_cancel(callback_guard_.bind(
            [](GrpcConnections& self) { self.server_->Shutdown(std::chrono::system_clock::now()); }));
        sweeper_ = std::jthread([this](const std::stop_token& stop) { sweep_until(stop); });
    }

  private:
    struct Connection {
        ino_t inode;
        Session session;
    };
    static constexpr std::chrono::milliseconds sweep_interval{20};

    static std::optional<ino_t> inode_of(int fd) {
        struct stat status {};
        return ::fstat(fd, &status) == 0 ? std::optional(status.st_ino) : std::nullopt;
    }

    void add(int fd, Session session) {
        {
            const std::lock_guard lock(mutex_);
            remove_dead();
            connections_.insert_or_assign(fd, Connection{inode_of(fd).value_or(0), std::move(session)});
        }
        ::grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.fd = fd;
        external_->HandleNewConnection(&connection);
    }

    // gRPC has closed the descriptor, or closed it and opened another connection at its number.
    void remove_dead() {
        std::erase_if(connections_, [](const auto& entry) { return inode_of(entry.first) != entry.second.inode; });
    }

    void set(Stage stage) {
        const std::lock_guard lock(mutex_);
        is_draining_ = stage == Stage::drain;
        changed_.notify_one();
    }

    void sweep_until(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (changed_.wait(lock, stop, [this] { return is_draining_; }) && !stop.stop_requested()) {
            remove_dead();
            changed_.wait_for(lock, stop, sweep_interval, [this] { return !is_draining_; });
        }
    }

    Worker& worker_;
    ::grpc::Server* server_ = nullptr;
    std::unique_ptr<::grpc::experimental::ExternalConnectionAcceptor> external_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    bool is_draining_ = false;
    std::unordered_map<int, Connection> connections_;
    std::jthread sweeper_;
    std::optional<Acceptor> acceptor_;
    detail::CallbackGuard<GrpcConnections> callback_guard_{*this};
};

}  // namespace holdfast
