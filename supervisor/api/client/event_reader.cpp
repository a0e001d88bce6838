#include "api/client/event_reader.hpp"

#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <cerrno>
#include <utility>

#include "api/client/decode.hpp"

namespace holdfast::api {

namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr Duration open_timeout = std::chrono::seconds(2);
constexpr std::size_t max_line_bytes = 1024 * 1024;  // longer than any event; the rest of a longer line is discarded
constexpr std::string_view data_field = "data: ";

}  // namespace

void EventReader::start(std::function<void(Result<void>)> begun, OnEvent on_event, std::function<void()> ended) {
    begun_ = std::move(begun);
    on_event_ = std::move(on_event);
    ended_ = std::move(ended);
    if (auto connected = connect_to(socket_, path_, open_timeout); !connected) return begin(connected.error());
    timer_.expires_after(open_timeout);
    timer_.async_wait([self = shared_from_this()](const error_code& aborted) {
        if (!aborted) self->begin(call_error(self->path_, "it did not answer in time", ETIMEDOUT));
    });
    request_ = make_request("GET", "/v1/events", {});
    http::async_write(socket_, request_,
                      [self = shared_from_this()](const error_code&, std::size_t) { self->read_header(); });
}

void EventReader::read_header() {
    if (state_ == State::closed) return;
    parser_.emplace();
    http::async_read_header(
        socket_, buffer_, *parser_, [self = shared_from_this()](const error_code& failure, std::size_t) {
            if (self->state_ == State::closed) return;
            const std::string& path = self->path_;
            if (failure) return self->begin(call_error(path, "it ended before it answered", ECONNRESET));
            const unsigned status = self->parser_->get().result_int();
            if (status != 200) {
                return self->begin(
                    call_error(path, "it offers no event stream (HTTP " + std::to_string(status) + ")", EBUSY));
            }
            self->begin({});
        });
}

void EventReader::begin(Result<void> how) {
    if (state_ != State::beginning) return;
    timer_.cancel();
    state_ = State::reading;
    const bool is_open = how.has_value();
    if (!is_open) close();
    std::exchange(begun_, nullptr)(std::move(how));
    if (!is_open || state_ == State::closed) return;
    const auto body = buffer_.data();  // read together with the header
    consume({static_cast<const char*>(body.data()), body.size()});
    read_on();
}

void EventReader::read_on() {
    if (state_ == State::closed) return;
    socket_.async_read_some(boost::asio::buffer(bytes_),
                            [self = shared_from_this()](const error_code& failure, std::size_t count) {
                                if (self->state_ == State::closed) return;
                                if (failure) return self->end();
                                self->consume({self->bytes_.data(), count});
                                self->read_on();
                            });
}

void EventReader::consume(std::string_view bytes) {
    while (!bytes.empty() && state_ == State::reading) {
        const std::size_t feed = bytes.find('\n');
        if (line_.size() < max_line_bytes) line_ += bytes.substr(0, feed);
        if (feed == std::string_view::npos) return;
        bytes.remove_prefix(feed + 1);
        consume_line(std::exchange(line_, {}));
    }
}

// Ignores comments, blank lines and unknown fields.
void EventReader::consume_line(std::string_view line) {
    if (!line.starts_with(data_field)) return;
    if (const auto event = decode_event(std::string(line.substr(data_field.size())))) on_event_(*event);
}

void EventReader::drain() {
    error_code failure;
    socket_.cancel(failure);
    socket_.non_blocking(true, failure);
    while (!failure && state_ == State::reading) {
        const std::size_t count = socket_.read_some(boost::asio::buffer(bytes_), failure);
        if (!failure) consume({bytes_.data(), count});
    }
    close();
}

void EventReader::close() {
    state_ = State::closed;
    timer_.cancel();
    error_code ignored;
    socket_.close(ignored);
}

void EventReader::end() {
    close();
    ended_();
}

}  // namespace holdfast::api
