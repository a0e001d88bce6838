#include "api/client/http_exchange.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <cerrno>
#include <utility>

namespace holdfast::api {

namespace http = boost::beast::http;
using boost::asio::local::stream_protocol;
using boost::system::error_code;

namespace {

// A blocking connect() waits while the backlog is full; SO_SNDTIMEO bounds the wait (unix(7): EAGAIN).
void limit_connecting(stream_protocol::socket& socket, Duration timeout) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    const timeval limit{.tv_sec = seconds.count(), .tv_usec = (timeout - seconds).count()};
    ::setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

uid_t listener_uid(stream_protocol::socket& socket) {
    ucred credentials{.pid = 0, .uid = static_cast<uid_t>(-1), .gid = static_cast<gid_t>(-1)};
    socklen_t size = sizeof credentials;
    ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    return credentials.uid;
}

}  // namespace

OutgoingRequest make_request(std::string_view method, const std::string& target, const std::string& body) {
    OutgoingRequest request;
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

Error call_error(const std::string& path, const std::string& cause, int code) {
    return error("cannot get an answer from the supervisor at " + path + ": " + cause, code);
}

Result<void> connect_to(stream_protocol::socket& socket, const std::string& path, std::optional<Duration> timeout) {
    if (path.size() >= sizeof(sockaddr_un::sun_path)) return call_error(path, "the path is too long", ENAMETOOLONG);
    error_code failure;
    socket.open(stream_protocol(), failure);
    if (!failure && timeout) limit_connecting(socket, *timeout);
    if (!failure) socket.connect(stream_protocol::endpoint(path), failure);
    if (failure) return call_error(path, failure.message(), failure.value());
    return {};
}

void HttpExchange::start(std::string_view method, const std::string& target, const std::string& body,
                         std::optional<Duration> timeout, std::function<void(Result<Reply>)> done) {
    done_ = std::move(done);
    if (auto connected = connect_to(socket_, path_, timeout); !connected) return finish(connected.error());
    request_ = make_request(method, target, body);
    parser_.body_limit(max_answer_bytes);
    if (timeout) {
        timer_.expires_after(*timeout);
        timer_.async_wait([self = shared_from_this()](const error_code& aborted) {
            if (!aborted) self->finish(call_error(self->path_, "it did not answer in time", ETIMEDOUT));
        });
    }
    // A write error is ignored: the server may have answered before it had read the whole request.
    http::async_write(socket_, request_, [self = shared_from_this()](const error_code&, std::size_t) { self->read(); });
}

void HttpExchange::read() {
    if (!done_) return;
    http::async_read(socket_, buffer_, parser_,
                     [self = shared_from_this()](const error_code& failure, std::size_t) { self->answered(failure); });
}

void HttpExchange::answered(const error_code& failure) {
    if (failure) return finish(call_error(path_, "it ended before it answered", ECONNRESET));
    const uid_t uid = listener_uid(socket_);
    finish(Reply{static_cast<int>(parser_.get().result_int()), std::move(parser_.get().body()), uid});
}

void HttpExchange::finish(Result<Reply> reply) {
    if (!done_) return;
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
    std::exchange(done_, nullptr)(std::move(reply));
}

}  // namespace holdfast::api
