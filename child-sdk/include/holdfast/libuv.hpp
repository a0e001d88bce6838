#pragma once

#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <holdfast/stream.hpp>
#include <holdfast/worker.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

/// Servers in an event loop of libuv.
namespace holdfast::uv {

/// Owns a libuv handle and its callback. uv_close(3) completes asynchronously: the loop uses the memory until then, so
/// it must run once more before it is closed (the destructor of Loop does this).
template <class Handle>
class Owned {
  public:
    /// Does not initialise the handle: call uv_..._init(get()) next.
    explicit Owned(std::function<void()> call = {}) : box_(new Box{{}, std::move(call)}) { box_->handle.data = box_; }
    ~Owned() {
        uv_close(reinterpret_cast<uv_handle_t*>(&box_->handle),
                 [](uv_handle_t* handle) { delete static_cast<Box*>(handle->data); });
    }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;

    /// The handle, valid as long as this object.
    Handle* get() const { return &box_->handle; }
    /// Calls the callback; for use in libuv callbacks.
    static void call(Handle* handle) {
        const std::function<void()> call =
            static_cast<Box*>(handle->data)->call;  // a copy: the callback may close the handle
        if (call) call();
    }

  private:
    struct Box {
        Handle handle;
        std::function<void()> call;
    };
    Box* box_;
};

/// Throws std::runtime_error, "cannot <action>: <cause>", if libuv returned an error.
inline void check(int result, const char* action) {
    if (result < 0) throw std::runtime_error(std::string("cannot ") + action + ": " + uv_strerror(result));
}

/// Runs a worker (WorkerOptions::Drive::dispatch) in an event loop of libuv, without other threads. Use it only on the
/// thread that runs the loop. libuv does not ignore SIGPIPE: the program must.
class Loop {
  public:
    /// Both arguments must outlive it. Throws std::runtime_error.
    Loop(Worker& worker, uv_loop_t* loop) : worker_(worker), loop_(loop), poll_([this] { worker_.dispatch(); }) {
        check(uv_poll_init(loop_, poll_.get(), worker_.fd()), "watch the worker's descriptor");
        uv_poll_start(poll_.get(), UV_READABLE, [](uv_poll_t* poll, int, int) { Owned<uv_poll_t>::call(poll); });
    }
    /// Destroy it after all other objects of this namespace.
    ~Loop() {
        uv_poll_stop(poll_.get());
        uv_run(loop_, UV_RUN_NOWAIT);
    }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// The libuv loop.
    uv_loop_t* get() const { return loop_; }

    /// Calls `call` once, after `delay`.
    void after(std::chrono::milliseconds delay, std::function<void()> call) {
        auto* const once = new Once{{}, std::move(call)};
        once->timer.data = once;
        uv_update_time(loop_);
        uv_timer_init(loop_, &once->timer);
        uv_timer_start(&once->timer, &Loop::call_once, static_cast<std::uint64_t>(delay.count()), 0);
    }

    /// Runs the loop until the worker has released everything. Returns the result of Worker::wait().
    int run() {
        while (!worker_.result()) uv_run(loop_, UV_RUN_ONCE);
        return *worker_.result();
    }

  private:
    struct Once {
        uv_timer_t timer;
        std::function<void()> call;
    };
    static void call_once(uv_timer_t* timer) {
        static_cast<Once*>(timer->data)->call();
        uv_close(reinterpret_cast<uv_handle_t*>(timer),
                 [](uv_handle_t* handle) { delete static_cast<Once*>(handle->data); });
    }

    Worker& worker_;
    uv_loop_t* loop_;
    Owned<uv_poll_t> poll_;
};

/// A timer that can be set repeatedly.
class Deadline {
  public:
    /// `passed` is called on the thread of the loop.
    Deadline(uv_loop_t* loop, std::function<void()> passed) : timer_(std::move(passed)) {
        uv_timer_init(loop, timer_.get());
    }
    /// Sets the deadline, replacing the previous one.
    void set(std::chrono::steady_clock::time_point deadline) {
        using std::chrono::milliseconds;
        const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
        const auto delay =
            std::max(left, milliseconds(0)) + milliseconds(1);  // libuv truncates its clock to milliseconds
        uv_update_time(timer_.get()->loop);
        uv_timer_start(timer_.get(), &Owned<uv_timer_t>::call, static_cast<std::uint64_t>(delay.count()), 0);
    }
    /// Removes the deadline.
    void clear() { uv_timer_stop(timer_.get()); }

  private:
    Owned<uv_timer_t> timer_;
};

/// A connection as a uv_stream_t.
class Connection : public StreamConnection {
  public:
    /// Takes ownership of the descriptor. Closes it if libuv rejects it, see is_open().
    Connection(uv_loop_t* loop, int fd, StreamServer& server, Session session)
        : StreamConnection(server, std::move(session)), fd_(fd), deadline_(loop, [this] { on_deadline(); }) {
        stream_ = new Stream;
        if (family_of(fd) == AF_UNIX) {
            uv_pipe_init(loop, &stream_->any.pipe, 0);
            failed_ = uv_pipe_open(&stream_->any.pipe, fd);
        } else {
            uv_tcp_init(loop, &stream_->any.tcp);
            failed_ = uv_tcp_open(&stream_->any.tcp, fd);
        }
        handle()->data = stream_;
        stream_->owner = this;
        if (failed_ != 0) ::close(fd);
    }
    ~Connection() override { close_now(); }

    /// Whether libuv has accepted the descriptor.
    bool is_open() const { return failed_ == 0 && stream_ != nullptr; }

  protected:
    int socket() const override { return fd_; }
    void start_reading() override {
        if (stream_ != nullptr) uv_read_start(stream(), &Connection::on_alloc, &Connection::on_read);
    }
    void stop_reading() override {
        if (stream_ != nullptr) uv_read_stop(stream());
    }
    void send(std::string_view bytes) override {
        stream_->write.data = stream_;
        const uv_buf_t buffer{const_cast<char*>(bytes.data()), bytes.size()};
        // Calls back in a later turn of the loop, even if everything is written at once.
        if (uv_write(&stream_->write, stream(), &buffer, 1, &Connection::on_written) != 0) broken();
    }
    std::size_t unsent_bytes() const override {
        return stream_ == nullptr ? 0 : uv_stream_get_write_queue_size(stream());
    }
    void set_deadline(Clock::time_point deadline) override { deadline_.set(deadline); }
    void clear_deadline() override { deadline_.clear(); }
    void close_socket() override { close_now(); }

  private:
    // Outlives the connection until libuv has closed the handle.
    struct Stream {
        union {
            uv_handle_t handle;
            uv_stream_t stream;
            uv_tcp_t tcp;
            uv_pipe_t pipe;
        } any;
        uv_write_t write;
        Connection* owner;
        std::array<char, 16 * 1024> buffer;
    };

    static int family_of(int fd) {
        sockaddr_storage address{};
        socklen_t length = sizeof address;
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
        return address.ss_family;
    }
    static void on_alloc(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto& lent = static_cast<Stream*>(handle->data)->buffer;
        *buffer = uv_buf_init(lent.data(), static_cast<unsigned>(lent.size()));
    }
    static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
        Connection* const owner = static_cast<Stream*>(stream->data)->owner;
        if (owner == nullptr || count == 0) return;
        const auto self = owner->shared_from_this();
        if (count > 0) return owner->received({buffer->base, static_cast<std::size_t>(count)});
        if (count == UV_EOF) return owner->ended();
        owner->broken();
    }
    static void on_written(uv_write_t* write, int status) {
        Connection* const owner = static_cast<Stream*>(write->data)->owner;
        if (owner == nullptr) return;
        const auto self = owner->shared_from_this();
        if (status == 0) return owner->sent();
        owner->broken();
    }
    void on_deadline() {
        const auto self = shared_from_this();
        overdue();
    }
    uv_stream_t* stream() const { return &stream_->any.stream; }
    uv_handle_t* handle() const { return &stream_->any.handle; }
    void close_now() {
        if (stream_ == nullptr) return;
        clear_deadline();
        stream_->owner = nullptr;
        uv_close(handle(), [](uv_handle_t* closed) { delete static_cast<Stream*>(closed->data); });
        stream_ = nullptr;
    }

    int fd_;
    int failed_ = 0;
    Stream* stream_ = nullptr;
    Deadline deadline_;
};

/// Serves a listener in a libuv loop. See StreamServer. The listener is polled and accepted here, because uv_listen(3)
/// would call listen(2) again on a shared socket.
class Server : public StreamServer {
  public:
    /// Accepts at once. `worker` and `loop` must outlive it. Throws std::runtime_error.
    Server(Worker& worker, Loop& loop, Listener listener, Serve serve, StreamOptions options = {})
        : StreamServer(worker, std::move(listener), std::move(serve), std::move(options)),
          loop_(loop.get()),
          poll_([this] { accept_next(); }),
          retry_(loop_, [this] { watch(); }) {
        check(uv_poll_init(loop_, poll_.get(), listener_fd()), "watch the listener");
        watch();
    }
    ~Server() override {
        abandon_all();
        uv_poll_stop(poll_.get());
    }

  protected:
    void watch_listener() override { watch(); }
    void ignore_listener() override {
        uv_poll_stop(poll_.get());
        retry_.clear();
    }
    void watch_listener_later() override {
        retry_.set(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
    }
    std::shared_ptr<StreamConnection> adopt(int fd, Session session) override {
        auto connection = std::make_shared<Connection>(loop_, fd, *this, std::move(session));
        return connection->is_open() ? connection : nullptr;
    }

  private:
    void watch() {
        uv_poll_start(poll_.get(), UV_READABLE, [](uv_poll_t* poll, int, int) { Owned<uv_poll_t>::call(poll); });
    }

    uv_loop_t* loop_;
    Owned<uv_poll_t> poll_;
    Deadline retry_;
};

}  // namespace holdfast::uv
