#include "api/http_call.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cerrno>

namespace holdfast::api {

namespace http = boost::beast::http;
using boost::asio::local::stream_protocol;
using boost::system::error_code;

namespace {

constexpr std::uint64_t max_answer_bytes = 16 * 1024 * 1024;  // 4096 workers with full drain reports

Error cannot_ask(const std::string& path, const std::string& cause, int code) {
    return error("cannot ask the supervisor at " + path + ": " + cause, code);
}

// A blocking connect waits while the backlog is full; this bounds it (unix(7): EAGAIN).
void limit_connecting(stream_protocol::socket& socket, Duration within) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(within);
    const timeval limit{.tv_sec = seconds.count(), .tv_usec = (within - seconds).count()};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

uid_t listener_uid(stream_protocol::socket& socket) {
    ucred credentials{.pid = 0, .uid = static_cast<uid_t>(-1), .gid = static_cast<gid_t>(-1)};
    socklen_t size = sizeof credentials;
    ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    return credentials.uid;
}

http::request<http::string_body> make_request(std::string_view method, const std::string& target,
                                              const std::string& body) {
    http::request<http::string_body> request;
    request.version(11);
    request.method_string({method.data(), method.size()});
    request.target(target);
    request.set(http::field::host, "holdfast");
    request.keep_alive(false);
    if (!body.empty()) request.set(http::field::content_type, "application/json");
    request.body() = body;
    request.prepare_payload();
    return request;
}

}  // namespace

Result<Reply> call(const std::string& path, std::string_view method, const std::string& target, const std::string& body,
                   std::optional<Duration> within) {
    if (path.size() >= sizeof(sockaddr_un::sun_path)) return cannot_ask(path, "the path is too long", ENAMETOOLONG);
    boost::asio::io_context io{1};
    stream_protocol::socket socket(io);
    error_code failure;
    socket.open(stream_protocol(), failure);
    if (!failure && within) limit_connecting(socket, *within);
    if (!failure) socket.connect(stream_protocol::endpoint(path), failure);
    if (failure) return cannot_ask(path, failure.message(), failure.value());

    auto request = make_request(method, target, body);
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(max_answer_bytes);
    std::optional<error_code> answered;
    // What could not be written may have been answered all the same: the answer decides.
    http::async_write(socket, request, [&](const error_code&, std::size_t) {
        http::async_read(socket, buffer, parser, [&](const error_code& ended, std::size_t) { answered = ended; });
    });
    within ? io.run_for(*within) : io.run();
    if (!answered) return cannot_ask(path, "it does not answer", ETIMEDOUT);
    if (*answered) return cannot_ask(path, "the supervisor ended before it answered", ECONNRESET);
    return Reply{static_cast<int>(parser.get().result_int()), std::move(parser.get().body()), listener_uid(socket)};
}

}  // namespace holdfast::api
