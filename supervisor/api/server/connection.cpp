#include "api/server/connection.hpp"

#include <sys/socket.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>

namespace holdfast::api {

namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

std::string in_kib(std::uint64_t bytes) { return std::to_string(bytes / 1024) + " KiB"; }

}  // namespace

struct Connection::Reader {
    explicit Reader(std::size_t max_bytes) : buffer(max_bytes) {}
    // Releases the memory of the request. Bytes that were read beyond it (pipelining) are kept.
    void forget_request() {
        parser.reset();
        buffer.shrink_to_fit();
    }
    boost::beast::flat_buffer buffer;  // grows with the bytes received, up to the maximum size of one request
    std::optional<http::request_parser<http::string_body>> parser;
};

struct Connection::Writer {
    http::response<http::string_body> response;
};

Connection::Connection(Socket socket, const ConnectionConfig& config)
    : socket_(std::move(socket)),
      config_(config),
      timer_(socket_.get_executor()),
      reader_(std::make_unique<Reader>(config.max_header_bytes + config.max_body_bytes)) {}

Connection::~Connection() = default;

void Connection::start() { read(); }

Peer Connection::peer() const {
    ucred credentials{.pid = 0, .uid = static_cast<uid_t>(-1), .gid = static_cast<gid_t>(-1)};
    socklen_t size = sizeof credentials;
    const int fd = const_cast<Socket&>(socket_).native_handle();
    // If the kernel cannot tell, the uid is (uid_t)-1, which is never authorized.
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {static_cast<uid_t>(-1), 0};
    return {credentials.uid, credentials.pid};
}

void Connection::set_state(State state) {
    state_ = state;
    config_.on_state_change(*this);
}

void Connection::read() {
    auto& parser = reader_->parser.emplace();
    parser.header_limit(config_.max_header_bytes);
    parser.body_limit(config_.max_body_bytes);
    start_timeout();
    set_state(State::reading);
    http::async_read(socket_, reader_->buffer, parser,
                     [self = shared_from_this()](const error_code& failure, std::size_t) {
                         self->stop_timeout();
                         if (self->state_ == State::closed) return;
                         failure ? self->handle_broken_request(failure) : self->handle_request();
                     });
}

// The number of connections is limited: a client that neither sends its request nor reads its response is closed.
void Connection::start_timeout() {
    timer_.expires_after(config_.io_timeout);
    timer_.async_wait([weak = weak_from_this(), run = ++timer_run_](const error_code& aborted) {
        const auto self = weak.lock();
        if (self && !aborted && self->timer_run_ == run) self->close();
    });
}

// cancel() cannot stop a handler that is already queued; the new run number makes that handler do nothing.
void Connection::stop_timeout() {
    ++timer_run_;
    timer_.cancel();
}

void Connection::handle_broken_request(const error_code& failure) {
    keep_alive_ = KeepAlive::no;
    method_ = Method::other;
    reader_.reset();  // no further request is read from this connection
    if (failure == http::error::end_of_stream ||
        failure.category() != make_error_code(http::error::end_of_stream).category()) {
        return close();
    }
    if (failure == http::error::body_limit) {
        return respond(config_.error_response(
            413, config_.max_body_bytes == 0 ? "a request body is not accepted here"
                                             : "the request body is larger than " + in_kib(config_.max_body_bytes)));
    }
    if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
        return respond(
            config_.error_response(431, "the request header is larger than " + in_kib(config_.max_header_bytes)));
    }
    respond(config_.error_response(400, "cannot parse the HTTP request: " + failure.message()));
}

void Connection::handle_request() {
    auto& message = reader_->parser->get();
    if (!message.keep_alive()) keep_alive_ = KeepAlive::no;
    method_ = message.method() == http::verb::head ? Method::head : Method::other;
    const HttpRequest request{std::string(message.method_string()), std::string(message.target()),
                              std::move(message.body())};
    reader_->forget_request();
    state_ = State::writing;  // close_when_answered() waits for the response, even if serve() closes the server
    config_.serve(*this, request);
}

void Connection::defer_response() {
    if (state_ == State::closed) return;
    watch_for_hang_up();
    set_state(State::waiting);
}

// Asio 1.26 completes wait_error on EPOLLHUP, which means that both directions are closed. A client that has only shut
// down its sending direction still waits for its response.
void Connection::watch_for_hang_up() {
    socket_.async_wait(Socket::wait_error, [weak = weak_from_this()](const error_code& aborted) {
        const auto self = weak.lock();
        if (self && !aborted && self->state_ == State::waiting) self->close();
    });
}

void Connection::respond_deferred(HttpResponse reply) {
    if (state_ != State::waiting) return;
    error_code ignored;
    socket_.cancel(ignored);
    respond(std::move(reply));
}

void Connection::respond(HttpResponse reply) {
    if (state_ == State::closed) return;
    writer_ = std::make_unique<Writer>();
    auto& response = writer_->response;
    response.version(11);
    response.result(static_cast<unsigned>(reply.http_status));
    response.set(http::field::content_type, reply.content_type);
    if (!reply.allow.empty()) response.set(http::field::allow, reply.allow);
    response.keep_alive(keep_alive_ == KeepAlive::yes);
    response.content_length(reply.body.size());
    if (method_ != Method::head) response.body() = std::move(reply.body);
    unread_bytes_ = response.body().capacity();
    start_timeout();
    set_state(State::writing);
    http::async_write(socket_, response, [self = shared_from_this()](const error_code& failure, std::size_t) {
        self->stop_timeout();
        if (self->state_ != State::closed) self->written(failure);
    });
}

void Connection::written(const error_code& failure) {
    writer_.reset();
    unread_bytes_ = 0;
    if (failure || keep_alive_ == KeepAlive::no) return close();
    read();
}

Socket Connection::release_socket() {
    Socket released = std::move(socket_);
    close();
    return released;
}

void Connection::close_when_answered() {
    keep_alive_ = KeepAlive::no;
    if (state_ == State::reading) close();
}

void Connection::close() {
    if (state_ == State::closed) return;
    const auto alive = shared_from_this();
    stop_timeout();
    error_code ignored;
    socket_.close(ignored);
    unread_bytes_ = 0;
    set_state(State::closed);
}

}  // namespace holdfast::api
