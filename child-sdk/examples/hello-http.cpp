// A complete server with graceful shutdown: HTTP/1.1 with keep-alive on Boost.Asio and Beast, a background task, a pool
// that closes last, readiness. The service: http_text.hpp.

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <holdfast/asio.hpp>
#include <iostream>
#include <optional>
#include <string>

#include "access_log.hpp"
#include "http_text.hpp"
#include "pool.hpp"

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using holdfast::AsioConnection;

namespace {

// One connection.
class Conversation {
  public:
    Conversation(AsioConnection& connection, std::string id) : connection_(connection), id_(std::move(id)) {}

    bool has_bytes() const { return buffer_.size() > 0; }

    // Reads a head. Answers and returns false if it is malformed, or announces too much.
    net::awaitable<bool> read_head() {
        parser_.emplace();
        parser_->header_limit(http_text::max_head_bytes);
        parser_->body_limit(http_text::max_body_bytes);
        error_code error;
        co_await http::async_read_header(connection_, buffer_, *parser_,
                                         net::redirect_error(net::use_awaitable, error));
        if (!error) co_return true;
        if (error.category() != make_error_code(http::error::bad_method).category()) co_return false;
        const auto status = error == http::error::header_limit ? http::status::request_header_fields_too_large
                            : error == http::error::body_limit ? http::status::payload_too_large
                                                               : http::status::bad_request;
        const http_text::Body nothing;
        if (error != http::error::end_of_stream) co_await write(status, nothing, 11, http_text::Says::close);
        co_return false;
    }

    // Reads the body in parts and returns its size.
    net::awaitable<std::size_t> read_body() {
        std::array<char, 16 * 1024> part;
        std::size_t bytes = 0;
        while (!parser_->is_done()) {
            auto& body = parser_->get().body();
            body.data = part.data();
            body.size = part.size();
            error_code error;
            co_await http::async_read(connection_, buffer_, *parser_, net::redirect_error(net::use_awaitable, error));
            if (error && error != http::error::need_buffer) throw boost::system::system_error(error);
            bytes += part.size() - body.size;
        }
        co_return bytes;
    }

    // `body` must outlive the call. No coroutine of this file takes an object of a class by value, or a temporary: g++
    // 12 destroys it twice.
    net::awaitable<void> write(http::status status, const http_text::Body& body, unsigned version,
                               http_text::Says says) {
        const std::size_t size = body.size();
        http::response<http::string_body> response{status, version, body.text};
        response.set(http::field::content_type, "text/plain");
        response.set("X-Worker", id_);
        response.content_length(size);
        response.keep_alive(says == http_text::Says::keep_alive);
        http::response_serializer<http::string_body> serializer(response);
        if (body.filler_bytes == 0) {
            co_await http::async_write(connection_, serializer, net::use_awaitable);
        } else {
            co_await http::async_write_header(connection_, serializer, net::use_awaitable);
            co_await write_filler(body.filler_bytes);
        }
    }

    const http::request_header<>& head() const { return parser_->get(); }
    bool keep_alive() const { return parser_->keep_alive(); }

  private:
    net::awaitable<void> write_filler(std::size_t left) {
        while (left > 0) {
            const std::string_view part = http_text::filler(left);
            co_await net::async_write(connection_, net::buffer(part), net::use_awaitable);
            left -= part.size();
        }
    }

    AsioConnection& connection_;
    const std::string id_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::buffer_body>> parser_;
};

struct Service {
    // Stands for the work of a request.
    net::awaitable<http_text::Body> answer(const std::string& target, std::size_t body_bytes) {
        const Pool::Lease lease(pool);
        net::steady_timer work(co_await net::this_coro::executor, http_text::ms_of(target));
        co_await work.async_wait(net::use_awaitable);
        co_return http_text::body_for(target, body_bytes);
    }

    net::awaitable<void> serve(AsioConnection& connection) {
        Conversation conversation(connection, id);
        for (;;) {
            if (!conversation.has_bytes()) {
                const AsioConnection::Next next = co_await connection.wait_for_request();
                if (next == AsioConnection::Next::end) co_return;
            }
            const bool is_read = co_await conversation.read_head();
            if (!is_read) co_return;
            const std::string target(conversation.head().target());
            const std::string name = std::string(conversation.head().method_string()) + " " + target;
            const holdfast::Request counted = worker.begin_request(name);
            const std::size_t body_bytes = co_await conversation.read_body();
            const http_text::Body body = co_await answer(target, body_bytes);
            log.add(name);
            const bool is_last = connection.says_close() || !conversation.keep_alive();
            const auto says = is_last ? http_text::Says::close : http_text::Says::keep_alive;
            co_await conversation.write(http::status::ok, body, conversation.head().version(), says);
            if (is_last) co_return;
        }
    }

    holdfast::Worker& worker;
    Pool& pool;
    AccessLog& log;
    const std::string id = http_text::worker_id();
};

}  // namespace

int main() try {
    holdfast::Worker worker;
    const char* path = std::getenv("HELLO_ACCESS_LOG");
    AccessLog log(path == nullptr ? "/dev/null" : path);
    Pool pool;
    worker.close_last("access-log", [&] { log.close(); });
    worker.close_last("pool", [&] { pool.close(); });
    worker.start_task("log-writer", [&](const std::stop_token& stop) { log.write_until(stop); });

    Service service{worker, pool, log};
    net::thread_pool io(1);
    holdfast::AsioServer server(worker, worker.listen("http", http_text::address(":8080")), io.get_executor(),
                                [&](AsioConnection& connection) { return service.serve(connection); });
    worker.ready();
    return worker.wait();
} catch (const std::exception& failure) {
    std::cerr << "hello-http: " << failure.what() << '\n';
    return 1;
}
