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

/// Runs a gRPC C++ server on a shared listener. An Acceptor passes connections to the server
/// (ServerBuilder::experimental().AddExternalConnectionAcceptor), because a listening port of the server itself cannot
/// be shared.
///
///     std::unique_ptr<grpc::Server> server;
///     holdfast::GrpcConnections connections(worker, builder, grpc::InsecureServerCredentials());
///     server = builder.BuildAndStart();
///     connections.serve(*server, worker.listen("grpc", ":50051"));
///
/// How connections end. A gRPC client keeps its connection open until the server sends GOAWAY. The only call that sends
/// GOAWAY on request is grpc::Server::Shutdown(); it also rejects calls that clients send before they have read the
/// GOAWAY, so calls are lost (2 of 1,226 in twenty restarts), and it cannot be undone. The maximum connection age
/// (GRPC_ARG_MAX_CONNECTION_AGE_MS) loses no calls: the server sends GOAWAY, waits a round trip, and lets calls in
/// flight finish. All connections therefore have a maximum age from the start, and a drain waits until the last ones
/// have reached it. A drain takes up to `age` plus a tenth longer than its longest call, and can be taken back by run.
/// The cancel calls Shutdown().
///
/// Limitations: GOAWAY cannot be sent when the drain begins. gRPC does not report that a connection has ended; this
/// class checks every 20 ms during a drain.
///
/// Calls are not counted here: hold a Worker::begin_request() in the handler, in a reactor until OnDone(), which gRPC
/// calls only after Finish(), even if the client has cancelled. For a call that lasts longer than a request hold a
/// Worker::begin_session() instead. The session of a connection does not delay the drain for longer than its age plus
/// `goaway_period`: what is still open then serves such calls. All functions may be called from any thread.
class GrpcConnections {
  public:
    /// Create it before BuildAndStart(). `age` (plus or minus a tenth) limits how long a connection lives, and thus how
    /// long a drain takes. `worker` must outlive it.
    GrpcConnections(Worker& worker, ::grpc::ServerBuilder& builder,
                    const std::shared_ptr<::grpc::ServerCredentials>& credentials,
                    std::chrono::milliseconds age = std::chrono::seconds(10))
        : worker_(worker), leave_within_(age + age / 10 + goaway_period) {
        using Type = ::grpc::ServerBuilder::experimental_type::ExternalConnectionType;
        builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, static_cast<int>(age.count()));
        external_ = builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, credentials);
    }

    /// Accepts at once. Call it after BuildAndStart() and before Worker::ready(). This object must live until
    /// Worker::wait() has returned, and `server` must outlive it.
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

    /// How long a connection without calls needs to end after its age.
    static constexpr std::chrono::milliseconds goaway_period{1'000};

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
        session.set_leave_within(leave_within_);
        {
            const std::lock_guard lock(mutex_);
            remove_dead();
            connections_.insert_or_assign(fd, Connection{inode_of(fd).value_or(0), std::move(session)});
        }
        ::grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
        connection.fd = fd;
        external_->HandleNewConnection(&connection);
    }

    // gRPC has closed the descriptor, or closed it and opened another connection with the same number.
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
    const std::chrono::milliseconds leave_within_;
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
