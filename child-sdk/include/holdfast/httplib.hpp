#pragma once

#include <httplib.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <holdfast/blocking.hpp>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace holdfast {

/// The stream of cpp-httplib (0.11) on a connection of a BlockingServer. Created by HttplibServer.
class HttplibStream final : public httplib::Stream {
  public:
    /// Does not own the connection.
    explicit HttplibStream(BlockingConnection& connection) : connection_(connection) {}

    /// Whether bytes were read ahead: the client sent its next request early (pipelining).
    bool has_bytes() const { return next_ < size_; }

    bool is_readable() const override { return true; }  ///< read() waits and applies the deadlines
    bool is_writable() const override { return true; }  ///< write() waits and applies the deadlines

    /// Limits what the library may read from now on. If it reads more, read() and write() fail, and is_exceeded().
    void limit(std::size_t bytes) { left_ = bytes; }
    /// Whether the client has sent more than the limit.
    bool is_exceeded() const { return is_exceeded_; }

    /// Returns bytes that were read ahead, or else bytes from the connection. 0 at the end of the stream.
    ssize_t read(char* buffer, std::size_t size) override {
        is_exceeded_ = is_exceeded_ || left_ == 0;
        if (is_exceeded_) return -1;
        if (!has_bytes()) {
            next_ = 0;
            size_ = connection_.read_some(bytes_);
        }
        const std::size_t taken = std::min({size, size_ - next_, left_});
        std::copy_n(bytes_.data() + next_, taken, buffer);
        next_ += taken;
        left_ -= taken;
        return static_cast<ssize_t>(taken);
    }

    /// Writes all bytes. Returns -1 if the connection has ended.
    ssize_t write(const char* bytes, std::size_t size) override {
        return !is_exceeded_ && connection_.write_all({bytes, size}) ? static_cast<ssize_t>(size) : -1;
    }

    /// The address of the client; unchanged on a unix socket.
    void get_remote_ip_and_port(std::string& ip, int& port) const override { name(::getpeername, ip, port); }
    /// The address of this end; unchanged on a unix socket.
    void get_local_ip_and_port(std::string& ip, int& port) const override { name(::getsockname, ip, port); }

    /// Always invalid: cpp-httplib calls select(2) on its own sockets, and would answer 500 for descriptors of 1024 and
    /// above.
    socket_t socket() const override { return INVALID_SOCKET; }

  private:
    template <class Ask>
    void name(Ask ask, std::string& ip, int& port) const {
        sockaddr_storage address{};
        socklen_t length = sizeof address;
        std::array<char, NI_MAXHOST> host{};
        std::array<char, NI_MAXSERV> service{};
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        if (ask(connection_.fd(), any, &length) != 0 || address.ss_family == AF_UNIX ||
            ::getnameinfo(any, length, host.data(), host.size(), service.data(), service.size(),
                          NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
            return;
        }
        ip = host.data();
        port = std::atoi(service.data());
    }

    BlockingConnection& connection_;
    std::array<char, 4096> bytes_;
    std::size_t next_ = 0;
    std::size_t size_ = 0;
    std::size_t left_ = std::numeric_limits<std::size_t>::max();  // of the limit
    bool is_exceeded_ = false;
};

/// A httplib::Server whose connections holdfast accepts, reads and closes. Get(), Post(), handlers, mount points,
/// default headers and the payload limit work as usual; serve() replaces listen().
///
///     holdfast::HttplibServer server(worker);
///     server.Get("/", [](const httplib::Request&, httplib::Response& answer) { answer.set_content("OK\n", ...); });
///     server.serve(worker.listen("http", ":8080"));
///     worker.ready();
///     return worker.wait();
///
/// The library's own listen() cannot be used in a worker: it binds its own socket, stop() shuts that socket down, a
/// failed accept(2) closes it, and idle connections are closed without a check for unread bytes. This class therefore
/// never passes the listener to the library. The consequences:
/// - listen(), bind_to_port(), bind_to_any_port(), listen_after_bind(): do not call them. is_running() always returns
///   false and stop() does nothing, because the worker's stages start and stop the server.
/// - set_keep_alive_timeout(), set_keep_alive_max_count(), set_read_timeout(), set_write_timeout(),
///   set_idle_interval(), set_tcp_nodelay() (always on), set_socket_options(), set_address_family(), new_task_queue: no
///   effect. BlockingOptions sets the timeouts and the number of threads. The number of requests on a connection is not
///   limited.
/// - TLS (httplib::SSLServer) is not possible, because its handshake is private to the library.
/// - The library decides on "Connection: close" when a request begins. A response in progress when the drain begins
///   does not contain it; its connection then stays readable for keep_alive_min, and the next response contains it.
/// - Streamed responses (content providers) are completed in a drain. At the cancel their next write fails.
/// - Each request is counted as "GET /path" from the end of its head until its handler has returned and it has been
///   answered, also if the client goes away meanwhile.
/// - Large bodies: a handler with a httplib::ContentReader receives a body in parts, a content provider sends one.
///   BlockingOptions::transfer_period is a deadline of progress, not of the whole transfer.
/// - A head of more than 16 KiB is answered with 431, a body of more than set_payload_max_length() with 413, both
/// before
///   the rest is read.
class HttplibServer : public httplib::Server {
  public:
    /// `worker` must outlive it.
    explicit HttplibServer(Worker& worker) : worker_(worker) {
        // Without a listener the library truncates streamed responses. It uses this member for nothing else here.
        svr_sock_ = 0;
        set_keep_alive_max_count(std::numeric_limits<int>::max());
    }

    /// Takes ownership of the listener and serves at once. Call it once per listener, after the routes are set and
    /// before Worker::ready(). This object must live until Worker::wait() has returned. Throws std::system_error.
    void serve(Listener listener, BlockingOptions options = {}) {
        set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(options.keep_alive_max).count());
        servers_.push_back(std::make_unique<BlockingServer>(
            worker_, std::move(listener), [this](BlockingConnection& connection) { serve(connection); }, options));
    }

    /// The connection of a request, for its handler: BlockingConnection::session(), is_lost(), wait_for(). The
    /// reference is valid until the response has been written. Throws std::out_of_range outside of a handler.
    BlockingConnection& connection(const httplib::Request& request) {
        const std::lock_guard lock(mutex_);
        return exchanges_.at(&request)->connection;
    }

    /// For the handler of a response that lasts longer than a request, for example server-sent events: it is counted as
    /// a session from now on. Returns the session of the connection, to give it a name (Session::set_name) and its own
    /// deadline (Session::set_leave_within).
    Session& as_session(const httplib::Request& request) {
        const std::lock_guard lock(mutex_);
        Exchange& exchange = *exchanges_.at(&request);
        exchange.counted.end();
        return exchange.connection.session();
    }

  private:
    // The request that is being served, counted and known to connection() for as long as this object exists.
    struct Exchange {
        Exchange(HttplibServer& its_server, BlockingConnection& its_connection)
            : server(its_server), connection(its_connection) {}
        ~Exchange() {
            const std::lock_guard lock(server.mutex_);
            server.exchanges_.erase(request);
        }
        Exchange(const Exchange&) = delete;
        Exchange& operator=(const Exchange&) = delete;

        void begin(const httplib::Request& served) {
            counted = server.worker_.begin_request(served.method + " " + served.path);
            request = &served;
            const std::lock_guard lock(server.mutex_);
            server.exchanges_.emplace(request, this);
        }

        HttplibServer& server;
        BlockingConnection& connection;
        Request counted;
        const httplib::Request* request = nullptr;
    };

    static constexpr std::size_t max_head_bytes = std::size_t{16} * 1024;

    void serve(BlockingConnection& connection) {
        HttplibStream stream(connection);
        bool is_last = false;
        while (!is_last && (stream.has_bytes() || connection.wait_for_request() == BlockingConnection::Next::request)) {
            is_last = connection.says_close();
            Exchange exchange(*this, connection);
            bool client_closes = false;
            stream.limit(max_head_bytes);
            const bool is_answered = process_request(stream, is_last, client_closes, [&](httplib::Request& request) {
                exchange.begin(request);
                stream.limit(body_limit(request));
            });
            if (stream.is_exceeded()) refuse(connection, exchange.request == nullptr);
            is_last = is_last || client_closes || !is_answered || stream.is_exceeded();
        }
    }

    // The library reads a body that is announced as too long to its end, and does not limit one that is not announced.
    std::size_t body_limit(const httplib::Request& request) const {
        if (!request.has_header("Content-Length")) return payload_max_length_;
        const std::string length = request.get_header_value("Content-Length");
        const bool is_too_long = std::strtoull(length.c_str(), nullptr, 10) > payload_max_length_;
        return is_too_long ? 0 : std::numeric_limits<std::size_t>::max();
    }

    static void refuse(BlockingConnection& connection, bool in_head) {
        const std::string status = in_head ? "431 Request Header Fields Too Large" : "413 Content Too Large";
        connection.write_all("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }

    Worker& worker_;
    std::mutex mutex_;
    std::unordered_map<const httplib::Request*, Exchange*> exchanges_;
    std::vector<std::unique_ptr<BlockingServer>> servers_;
};

}  // namespace holdfast
