#pragma once

#include <uv.h>

#include <algorithm>
#include <holdfast/epoll.hpp>
#include <holdfast/libuv.hpp>
#include <memory>
#include <string>
#include <utility>

#include "examples/stream_hello.hpp"
#include "workshop.hpp"

namespace holdfast::testing {

// The service of Workshop in an event loop of holdfast/stream.hpp.
template <class Loop>
class StreamShop {
  public:
    using Pointer = std::shared_ptr<StreamConnection>;

    StreamShop(Setup& setup, Loop& loop) : setup_(setup), loop_(loop), hello_(setup.worker, loop) {}

    StreamOptions options() const {
        StreamOptions options = hello_.options();
        options.transfer_period = setup_.limits.period;
        options.min_rate = setup_.limits.min_rate;
        return options;
    }

    StreamServer::Serve serve() {
        return [this](const Pointer& connection) -> std::size_t {
            const auto request = http_text::parse(connection->input());
            const std::string path = request && request->is_served ? path_of(request->target) : "";
            if (path == "/work") return work(connection, *request);
            if (path == "/stay") return stay(connection, *request);
            if (path == "/pauses") return pauses(connection, *request);
            return hello_.serve(connection);
        };
    }

  private:
    std::size_t work(const Pointer& connection, const http_text::Request& request) {
        connection->hold(setup_.worker.begin_request(request.name()));
        go_on(connection, std::make_shared<Workshop::Use>(setup_.shop));
        return request.head_bytes;
    }
    void go_on(const Pointer& connection, const std::shared_ptr<Workshop::Use>& use) {
        if (!setup_.shop.is_over()) {
            loop_.after(std::chrono::milliseconds(1), [this, connection, use] { go_on(connection, use); });
            return;
        }
        use->end();
        connection->answer(response_to("/", 0), StreamConnection::After::close);
    }

    static std::size_t stay(const Pointer& connection, const http_text::Request& request) {
        Workshop::stay(connection->session());
        connection->receive([](const Pointer&) { return StreamConnection::Want::whenever; });
        return request.head_bytes;
    }

    // Takes the body in parts, with a pause after each, and then answers in two parts: how much it has received, and
    // how much of that was in memory at most.
    std::size_t pauses(const Pointer& connection, const http_text::Request& request) {
        connection->hold(setup_.worker.begin_request(request.name()));
        connection->receive([this, left = request.body_bytes, taken = std::size_t{0},
                             most = std::size_t{0}](const Pointer& pointer) mutable {
            const std::size_t part = pointer->input().size();
            most = std::max(most, part);
            taken += part;
            pointer->consume(part);
            if (taken < left) {
                loop_.after(std::chrono::milliseconds(1), [pointer] { pointer->resume(); });
                return StreamConnection::Want::pause;
            }
            pointer->write(std::to_string(taken) + " ",
                           [pointer, most] { pointer->answer(std::to_string(most), StreamConnection::After::close); });
            return StreamConnection::Want::nothing;
        });
        return request.head_bytes;
    }

    Setup& setup_;
    Loop& loop_;
    StreamHello<Loop> hello_;
};

struct EpollShop {
    static constexpr auto drive = WorkerOptions::Drive::dispatch;
    static int run(Setup setup) {
        epoll::Loop loop(setup.worker);
        StreamShop<epoll::Loop> shop(setup, loop);
        const epoll::Server server(setup.worker, loop, std::move(setup.listener), shop.serve(), shop.options());
        setup.on_ready();
        return loop.run();
    }
};

struct UvShop {
    static constexpr auto drive = WorkerOptions::Drive::dispatch;
    static int run(Setup setup) {
        uv_loop_t own;
        uv_loop_init(&own);
        int status = 0;
        {
            uv::Loop loop(setup.worker, &own);
            StreamShop<uv::Loop> shop(setup, loop);
            const uv::Server server(setup.worker, loop, std::move(setup.listener), shop.serve(), shop.options());
            setup.on_ready();
            status = loop.run();
        }
        uv_run(&own, UV_RUN_DEFAULT);
        uv_loop_close(&own);
        return status;
    }
};

}  // namespace holdfast::testing
