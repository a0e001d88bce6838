// examples/hello-http.cpp without the SDK: the same responses with the same libraries and the usual timeouts of a
// server, but without a graceful stop. Accepts from descriptor 3.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <string>
#include <thread>

#include "examples/access_log.hpp"
#include "examples/http_text.hpp"
#include "examples/pool.hpp"

namespace net = boost::asio;
namespace http = boost::beast::http;
using namespace std::chrono_literals;

namespace {

constexpr int listener_fd = 3;

using Message = http::request<http::string_body>;

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

    net::awaitable<void> serve(boost::beast::tcp_stream stream) {
        boost::beast::flat_buffer buffer;
        for (;;) {
            Message request;
            stream.expires_after(75s);
            co_await http::async_read(stream, buffer, request, net::use_awaitable);
            const std::string name = std::string(request.method_string()) + " " + std::string(request.target());
            http::response<http::string_body> response = co_await answer(request, name);
            response.keep_alive(request.keep_alive());
            response.prepare_payload();
            stream.expires_after(30s);
            co_await http::async_write(stream, response, net::use_awaitable);
            if (!response.keep_alive()) co_return;
        }
    }

    Pool pool;
    AccessLog log{"/dev/null"};
    const std::string id = http_text::worker_id();
};

net::awaitable<void> accept(net::thread_pool& io, Service& service) {
    net::ip::tcp::acceptor acceptor(io, net::ip::tcp::v4(), listener_fd);
    for (;;) {
        auto socket = co_await acceptor.async_accept(net::make_strand(io), net::use_awaitable);
        socket.set_option(net::ip::tcp::no_delay(true));
        const auto executor = socket.get_executor();
        net::co_spawn(executor, service.serve(boost::beast::tcp_stream(std::move(socket))), net::detached);
    }
}

}  // namespace

int main() {
    Service service;
    const std::jthread writer([&](const std::stop_token& stop) { service.log.write_until(stop); });
    net::thread_pool io(1);
    net::co_spawn(io, accept(io, service), net::detached);
    io.join();
}
