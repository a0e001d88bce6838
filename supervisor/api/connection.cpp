#include "api/connection.hpp"

#include <sys/socket.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "api/encode.hpp"

namespace holdfast::api {

namespace http = boost::beast::http;

namespace {

constexpr std::uint32_t max_header_bytes = 8 * 1024;
constexpr std::uint64_t max_body_bytes = 64 * 1024;

// SO_PEERCRED as Asio's GettableSocketOption.
class PeerCredentials {
  public:
    template <class Protocol>
    int level(const Protocol&) const {
        return SOL_SOCKET;
    }
    template <class Protocol>
    int name(const Protocol&) const {
        return SO_PEERCRED;
    }
    template <class Protocol>
    void* data(const Protocol&) {
        return &credentials_;
    }
    template <class Protocol>
    std::size_t size(const Protocol&) const {
        return sizeof credentials_;
    }
    template <class Protocol>
    void resize(const Protocol&, std::size_t) {}

    Peer peer() const { return {credentials_.uid, credentials_.pid}; }

  private:
    // Nobody, until the kernel says who.
    ucred credentials_{.pid = 0, .uid = static_cast<uid_t>(-1), .gid = static_cast<gid_t>(-1)};
};

}  // namespace

struct Connection::Reader {
    boost::beast::flat_buffer buffer{max_header_bytes + max_body_bytes};  // what one request may be at most
    std::optional<http::request_parser<http::string_body>> parser;
};

struct Connection::Writer {
    http::response<http::string_body> response;
};

Connection::Connection(Socket socket, const Host& host, std::function<void(Connection&)> closed)
    : socket_(std::move(socket)),
      host_(host),
      closed_(std::move(closed)),
      timer_(socket_.get_executor()),
      reader_(std::make_unique<Reader>()) {
    PeerCredentials credentials;
    boost::system::error_code failure;
    socket_.get_option(credentials, failure);
    peer_ = credentials.peer();
}

Connection::~Connection() = default;

void Connection::start() { read(); }

void Connection::read() {
    state_ = State::reading;
    auto& parser = reader_->parser.emplace();
    parser.header_limit(max_header_bytes);
    parser.body_limit(max_body_bytes);
    limit_time();
    http::async_read(socket_, reader_->buffer, parser,
                     [self = shared_from_this()](const boost::system::error_code& failure, std::size_t) {
                         self->end_limit();
                         if (self->state_ == State::closed) return;
                         failure ? self->handle_broken_request(failure) : self->handle_request();
                     });
}

// A client that neither sends its request nor reads its answer holds one of few places, so not for long.
void Connection::limit_time() {
    timer_.expires_after(host_.limits.bytes);
    timer_.async_wait([weak = weak_from_this(), mine = ++limit_](const boost::system::error_code& aborted) {
        const auto self = weak.lock();
        if (self && !aborted && self->limit_ == mine) self->close();
    });
}

// An expiry that is already queued is beyond cancel(): its number is out of date.
void Connection::end_limit() {
    ++limit_;
    timer_.cancel();
}

void Connection::handle_broken_request(const boost::system::error_code& failure) {
    afterwards_ = Afterwards::close;
    if (failure == http::error::end_of_stream ||
        failure.category() != make_error_code(http::error::end_of_stream).category()) {
        return close();
    }
    if (failure == http::error::body_limit) return respond(413, error_to_json("the body is over 64 KiB"));
    if (failure == http::error::header_limit || failure == http::error::buffer_overflow) {
        return respond(431, error_to_json("the header is over 8 KiB"));
    }
    respond(400, error_to_json("this is no HTTP request: " + failure.message()));
}

void Connection::handle_request() {
    const auto& request = reader_->parser->get();
    if (!request.keep_alive() || request.method() == http::verb::head) afterwards_ = Afterwards::close;
    if (!may_ask(peer_.uid, host_.our_uid)) {
        return respond(403, error_to_json("uid " + std::to_string(peer_.uid) + " may not ask: only uid " +
                                          std::to_string(host_.our_uid) + " and root may"));
    }
    const std::string method(request.method_string()), target(request.target());
    Route route = find_route(method, target, request.body());
    if (std::holds_alternative<StatusWanted>(route)) return respond(200, to_json(host_.snapshot()));
    if (auto* rejection = std::get_if<Rejection>(&route)) {
        return respond(rejection->http_status, error_to_json(rejection->text), rejection->allow);
    }
    ask(std::get<ChangeWanted>(std::move(route)));
}

void Connection::ask(ChangeWanted change) {
    change.request.asked_by = describe(peer_);
    if (change.wait == ChangeWanted::Wait::no) {
        host_.ask(std::move(change.request), [](const core::Outcome&) {});
        return respond(202, R"({"result":"accepted","text":"asked for; the outcome is not waited for"})");
    }
    state_ = State::waiting;
    watch_for_hang_up();
    host_.ask(std::move(change.request), [weak = weak_from_this()](const core::Outcome& outcome) {
        if (const auto self = weak.lock()) self->answer(outcome);
    });
}

// Asio 1.26 completes wait_error at EPOLLHUP: both directions are closed. One that has only finished sending still
// waits for its answer.
void Connection::watch_for_hang_up() {
    socket_.async_wait(Socket::wait_error, [weak = weak_from_this()](const boost::system::error_code& aborted) {
        const auto self = weak.lock();
        if (self && !aborted && self->state_ == State::waiting) self->close();
    });
}

void Connection::answer(const core::Outcome& outcome) {
    if (state_ != State::waiting) return;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
    respond(http_status_of(outcome.result), to_json(outcome));
}

void Connection::respond(int http_status, std::string json, const std::string& allow) {
    state_ = State::writing;
    writer_ = std::make_unique<Writer>();
    auto& response = writer_->response;
    response.version(11);
    response.result(static_cast<unsigned>(http_status));
    response.set(http::field::content_type, "application/json");
    if (!allow.empty()) response.set(http::field::allow, allow);
    response.body() = std::move(json) + "\n";
    response.keep_alive(afterwards_ == Afterwards::read_on);
    response.prepare_payload();
    limit_time();
    http::async_write(socket_, response,
                      [self = shared_from_this()](const boost::system::error_code& failure, std::size_t) {
                          self->end_limit();
                          if (self->state_ != State::closed) self->written(failure);
                      });
}

void Connection::written(const boost::system::error_code& failure) {
    writer_.reset();
    if (failure || afterwards_ == Afterwards::close) return close();
    read();
}

void Connection::close_when_answered() {
    afterwards_ = Afterwards::close;
    if (state_ == State::reading) close();
}

void Connection::close() {
    if (state_ == State::closed) return;
    const auto alive = shared_from_this();
    state_ = State::closed;
    end_limit();
    boost::system::error_code ignored;
    socket_.close(ignored);
    closed_(*this);
}

}  // namespace holdfast::api
