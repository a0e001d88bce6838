#pragma once

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <holdfast/asio.hpp>
#include <holdfast/blocking.hpp>
#include <optional>
#include <string>
#include <utility>

#include "workshop.hpp"

namespace holdfast::testing {

// The service of Workshop with a thread for each connection.
class BlockingShop {
  public:
    static constexpr auto drive = WorkerOptions::Drive::helper_thread;
    static int run(Setup setup) {
        const BlockingServer server(setup.worker, std::move(setup.listener),
                                    [&](BlockingConnection& connection) { serve(setup, connection); },
                                    {.transfer_period = setup.limits.period, .min_rate = setup.limits.min_rate});
        setup.on_ready();
        return setup.worker.wait();
    }

  private:
    // Does not wait for the request first: that is not necessary.
    static void serve(Setup& setup, BlockingConnection& connection) {
        std::string bytes;
        std::array<char, 16 * 1024> part;
        std::optional<http_text::Request> request;
        while (!(request = http_text::parse(bytes))) {
            const std::size_t size = connection.read_some(part);
            if (size == 0) return;
            bytes.append(part.data(), size);
        }
        if (!request->is_served) {
            connection.write_all(http_text::refusal(request->refusal, "test"));
            return;
        }
        if (path_of(request->target) == "/stay") {
            Workshop::stay(connection.session());
            connection.wait_for(std::chrono::hours(1));
            return;
        }
        const Request counted = setup.worker.begin_request(request->name());
        if (path_of(request->target) == "/work") setup.shop.work();
        std::size_t received = bytes.size() - request->head_bytes;
        for (std::size_t size = 1; size > 0 && received < request->body_bytes; received += size)
            size = connection.read_some(part);
        connection.write_all(response_to(request->target, received));
    }
};

// The same with coroutines. Work is done on another executor.
class AsioShop {
  public:
    static constexpr auto drive = WorkerOptions::Drive::helper_thread;
    static int run(Setup setup) {
        namespace net = boost::asio;
        net::thread_pool io(2), workers(2);
        const AsioServer server(setup.worker, std::move(setup.listener), io.get_executor(),
                                [&](AsioConnection& connection) { return serve(setup, workers, connection); },
                                {.transfer_period = setup.limits.period, .min_rate = setup.limits.min_rate});
        setup.on_ready();
        return setup.worker.wait();
    }

  private:
    using Pool = boost::asio::thread_pool;

    static boost::asio::awaitable<void> work(Workshop& shop) {
        shop.work();
        co_return;
    }

    static boost::asio::awaitable<void> serve(Setup& setup, Pool& workers, AsioConnection& connection) {
        namespace net = boost::asio;
        std::string bytes;
        std::array<char, 16 * 1024> part;
        std::optional<http_text::Request> request;
        while (!(request = http_text::parse(bytes))) {
            const std::size_t size = co_await connection.async_read_some(net::buffer(part), net::use_awaitable);
            bytes.append(part.data(), size);
        }
        if (!request->is_served) {
            const std::string last = http_text::refusal(request->refusal, "test");
            co_await net::async_write(connection, net::buffer(last), net::use_awaitable);
            co_return;
        }
        if (path_of(request->target) == "/stay") {
            Workshop::stay(connection.session());
            net::steady_timer timer(co_await net::this_coro::executor, std::chrono::hours(1));
            co_await timer.async_wait(net::use_awaitable);
        }
        const Request counted = setup.worker.begin_request(request->name());
        if (path_of(request->target) == "/work") {
            // The cancel is not passed on: Asio would let an exception leave a coroutine that ends without a wait.
            co_await net::co_spawn(workers, work(setup.shop),
                                   net::bind_cancellation_slot(net::cancellation_slot(), net::use_awaitable));
        }
        std::size_t received = bytes.size() - request->head_bytes;
        while (received < request->body_bytes)
            received += co_await connection.async_read_some(net::buffer(part), net::use_awaitable);
        const std::string response = response_to(request->target, received);
        co_await net::async_write(connection, net::buffer(response), net::use_awaitable);
    }
};

}  // namespace holdfast::testing
