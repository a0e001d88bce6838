#include "connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <charconv>
#include <utility>

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

constexpr auto keep_alive_min = 1s;   // longer than a client's pause between two requests
constexpr auto keep_alive_max = 75s;  // idle, while the worker serves
constexpr auto transfer_time = 30s;   // for one request or one answer
constexpr auto linger_time = 1s;      // for the client to close after us
constexpr std::size_t largest_body = 1 << 20;

auto completed(error_code& error) { return net::redirect_error(net::use_awaitable, error); }

// "/?ms=2000": so long the work of the request takes.
std::chrono::milliseconds work_of(std::string_view target) {
    constexpr std::string_view key = "?ms=";
    unsigned milliseconds = 0;
    const std::size_t at = target.find(key);
    if (at == std::string_view::npos) return {};
    target.remove_prefix(at + key.size());
    std::from_chars(target.data(), target.data() + target.size(), milliseconds);
    return std::chrono::milliseconds(milliseconds);
}

}  // namespace

Connection::Connection(Socket socket, holdfast::Session session, Service& service)
    : socket_(std::move(socket)),
      session_(std::move(session)),
      service_(service),
      deadline_(socket_.get_executor()),
      work_(socket_.get_executor()) {
    service_.connections.insert(this);
}

Connection::~Connection() { service_.connections.erase(this); }

net::awaitable<void> Connection::serve() {
    const auto self = shared_from_this();
    Next next = co_await wait_for_request();
    while (next == Next::request) {
        std::optional<Request> request = co_await read_request();
        if (!request) break;
        next = co_await answer(*std::move(request));
        if (next == Next::request) next = co_await wait_for_request();
    }
    co_await finish();
}

net::awaitable<Connection::Next> Connection::wait_for_request() {
    if (buffer_.size() > 0) co_return Next::request;
    error_code error;
    is_idle_ = true;
    idle_since_ = Clock::now();
    set_deadline(idle_deadline());
    co_await socket_.async_wait(Socket::wait_read, completed(error));
    is_idle_ = false;
    co_return !error || has_bytes() ? Next::request : Next::end;
}

net::awaitable<std::optional<Connection::Request>> Connection::read_request() {
    error_code error;
    http::request_parser<http::string_body> parser;
    parser.body_limit(largest_body);
    set_deadline(Clock::now() + transfer_time);
    co_await http::async_read(socket_, buffer_, parser, completed(error));
    if (error) co_return std::nullopt;
    co_return parser.release();
}

net::awaitable<Connection::Next> Connection::answer(Request request) {
    const std::string name = std::string(request.method_string()) + " " + std::string(request.target());
    const holdfast::Request counted = service_.worker.begin_request(name);
    error_code error;
    http::response<http::string_body> response{http::status::ok, request.version()};
    {
        const Pool::Lease lease(service_.pool);
        deadline_.cancel();
        work_.expires_after(work_of(request.target()));
        co_await work_.async_wait(completed(error));
        response.body() = lease.answer();
    }
    response.set(http::field::content_type, "text/plain");
    response.set("X-Worker", service_.worker_id);
    response.keep_alive(request.keep_alive() && !service_.worker.draining());
    response.prepare_payload();
    service_.log.add(name);
    set_deadline(Clock::now() + transfer_time);
    co_await http::async_write(socket_, response, completed(error));
    co_return !error && response.keep_alive() ? Next::request : Next::end;
}

net::awaitable<void> Connection::finish() {
    error_code error;
    socket_.shutdown(Socket::shutdown_send, error);
    if (error) co_return;  // the client was first
    set_deadline(Clock::now() + linger_time);
    std::array<char, 4096> rest;
    while (!error) co_await socket_.async_read_some(net::buffer(rest), completed(error));
}

void Connection::reconsider() {
    if (is_idle_) set_deadline(idle_deadline());
}

void Connection::abandon() {
    error_code ignored;
    socket_.close(ignored);
    work_.cancel();
}

Connection::Clock::time_point Connection::idle_deadline() const {
    if (!service_.leaving_since) return idle_since_ + keep_alive_max;
    return std::max(*service_.leaving_since, idle_since_) + keep_alive_min;
}

bool Connection::has_bytes() {
    char byte = 0;
    return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Connection::set_deadline(Clock::time_point deadline) {
    deadline_.expires_at(deadline);
    deadline_.async_wait([weak = weak_from_this(), deadline](error_code error) {
        const auto self = weak.lock();
        // A wait that was over already when the deadline moved must not end what came after it.
        if (error || !self || self->deadline_.expiry() != deadline) return;
        self->socket_.cancel(error);
    });
}
