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
#include <string>
#include <utility>
#include <vector>

namespace holdfast {

/// cpp-httplib (0.11) over a connection of a BlockingServer. Made by HttplibServer.
class HttplibStream final : public httplib::Stream {
  public:
    /// Borrows the connection.
    explicit HttplibStream(BlockingConnection& connection) : connection_(connection) {}

    /// Bytes that were read ahead: the client sent its next request without waiting.
    bool has_bytes() const { return next_ < size_; }

    bool is_readable() const override { return true; }  ///< the waits, and their deadlines, are in read()
    bool is_writable() const override { return true; }  ///< and in write()

    /// What was read ahead, or else what the connection has. 0 at its end.
    ssize_t read(char* buffer, std::size_t size) override {
        if (!has_bytes()) {
            next_ = 0;
            size_ = connection_.read_some(bytes_);
        }
        const std::size_t taken = std::min(size, size_ - next_);
        std::copy_n(bytes_.data() + next_, taken, buffer);
        next_ += taken;
        return static_cast<ssize_t>(taken);
    }

    /// All of it; -1 if the connection is over.
    ssize_t write(const char* bytes, std::size_t size) override {
        return connection_.write_all({bytes, size}) ? static_cast<ssize_t>(size) : -1;
    }

    /// Of the client; nothing on a unix socket.
    void get_remote_ip_and_port(std::string& ip, int& port) const override { name(::getpeername, ip, port); }
    /// Of this end; nothing on a unix socket.
    void get_local_ip_and_port(std::string& ip, int& port) const override { name(::getsockname, ip, port); }

    /// None: the library would answer 500 from descriptor 1024 on, because it uses select(2) on its own sockets.
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
};

/// A httplib::Server whose connections are accepted, waited for and closed by holdfast: Get(), Post(), the handlers,
/// mount points, default headers and the payload limit are used as ever; serve() takes the place of listen().
///
///     holdfast::HttplibServer server(worker);
///     server.Get("/", [](const httplib::Request&, httplib::Response& answer) { answer.set_content("OK\n", ...); });
///     server.serve(worker.listen("http", ":8080"));
///     worker.ready();
///     return worker.wait();
///
/// The library's own listen() does not work in a worker: it binds a socket of its own, stop() shuts it down, an
/// accept(2) that fails closes it, and idle connections are closed without a look. So it never sees the listener. What
/// that costs:
/// - listen(), bind_to_port(), bind_to_any_port(), listen_after_bind(): do not call them. is_running() is always false,
///   and stop() does nothing: the worker's stages start and stop.
/// - set_keep_alive_timeout(), set_keep_alive_max_count(), set_read_timeout(), set_write_timeout(),
///   set_idle_interval(), set_tcp_nodelay() (always on), set_socket_options(), set_address_family(), new_task_queue:
///   no effect. BlockingOptions has the times and the number of threads; requests on a connection are not limited.
/// - TLS (httplib::SSLServer): not possible, its handshake is private to the library.
/// - The library decides on "Connection: close" when a request begins: an answer that is on its way when the drain
///   begins does not say it. Its connection then stays readable for keep_alive_min, and the next answer says it.
/// - Streamed answers (content providers) are served to their end in a drain; at the cancel their next write fails.
/// - Each request is counted as "GET /path" from the end of its head until it was answered.
class HttplibServer : public httplib::Server {
  public:
    /// `worker` has to outlive it.
    explicit HttplibServer(Worker& worker) : worker_(worker) {
        // The library cuts streamed answers short where there is no listener, and uses it for nothing else here.
        svr_sock_ = 0;
        set_keep_alive_max_count(std::numeric_limits<int>::max());
    }

    /// Takes the listener over and serves at once: after the routes are set, before Worker::ready(). Once for each
    /// listener; this object has to live until Worker::wait() returned. Throws std::system_error.
    void serve(Listener listener, BlockingOptions options = {}) {
        set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(options.keep_alive_max).count());
        servers_.push_back(std::make_unique<BlockingServer>(
            worker_, std::move(listener), [this](BlockingConnection& connection) { serve(connection); }, options));
    }

  private:
    void serve(BlockingConnection& connection) {
        HttplibStream stream(connection);
        bool is_last = false;
        while (!is_last && (stream.has_bytes() || connection.wait_for_request() == BlockingConnection::Next::request)) {
            is_last = connection.says_close();
            Request counted;
            bool client_closes = false;
            const bool is_answered = process_request(stream, is_last, client_closes, [&](httplib::Request& request) {
                counted = worker_.begin_request(request.method + " " + request.path);
            });
            is_last = is_last || client_closes || !is_answered;
        }
    }

    Worker& worker_;
    std::vector<std::unique_ptr<BlockingServer>> servers_;
};

}  // namespace holdfast
