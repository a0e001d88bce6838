// A complete server with graceful shutdown: HTTP/1.1 with keep-alive on Boost.Asio and Beast, a background task, a pool
// that closes last, readiness. `GET /` answers "OK"; `/?ms=2000` does so after two seconds.

#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <holdfast/asio.hpp>
#include <iostream>

#include "access_log.hpp"
#include "http_text.hpp"
#include "pool.hpp"

namespace net = boost::asio;
namespace http = boost::beast::http;
using holdfast::AsioConnection;
using Message = http::request<http::string_body>;
using namespace std::chrono_literals;

namespace {

struct Service {
    net::awaitable<http::response<http::string_body>> answer(const Message& request, std::string name) {
        const Pool::Lease lease(pool);
        net::steady_timer work(co_await net::this_coro::executor, http_text::ms_of(name));
        co_await work.async_wait(net::use_awaitable);
        http::response<http::string_body> response{http::status::ok, request.version(), lease.answer()};
        response.set(http::field::content_type, "text/plain");
        response.set("X-Worker", id);
        log.add(std::move(name));
        co_return response;
    }

    net::awaitable<void> serve(AsioConnection& connection) {
        boost::beast::flat_buffer buffer;
        while (buffer.size() > 0 || co_await connection.wait_for_request() == AsioConnection::Next::request) {
            Message request;
            connection.expires_after(30s);
            co_await http::async_read(connection.socket(), buffer, request, net::use_awaitable);
            connection.expires_never();
            const std::string name = std::string(request.method_string()) + " " + std::string(request.target());
            const holdfast::Request counted = worker.begin_request(name);
            http::response<http::string_body> response = co_await answer(request, name);
            response.keep_alive(request.keep_alive() && !connection.says_close());
            response.prepare_payload();
            connection.expires_after(30s);
            co_await http::async_write(connection.socket(), response, net::use_awaitable);
            if (!response.keep_alive()) co_return;
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
