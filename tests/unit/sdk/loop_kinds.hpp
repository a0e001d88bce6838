#pragma once

#include <uv.h>

#include <csignal>
#include <functional>
#include <holdfast/epoll.hpp>
#include <holdfast/libevent.hpp>
#include <holdfast/libuv.hpp>
#include <holdfast/microhttpd.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::testing {

// A small server for each adapter with an event loop: answers "OK" for any path, except "/wait", which it never
// answers. run() serves on the calling thread until the worker has released everything. `on_ready` is called when the
// server is set up.
using OnReady = std::function<void()>;
constexpr std::string_view wait_path = "/wait";

class StreamHello {
  public:
    explicit StreamHello(Worker& worker) : worker_(worker) {}

    StreamServer::Serve serve() {
        return [this](const std::shared_ptr<StreamConnection>& connection) -> std::size_t {
            const std::string_view input = connection->input();
            const std::size_t end = input.find("\r\n\r\n");
            if (end == input.npos) return 0;
            connection->hold(worker_.begin_request("GET"));
            if (input.find(wait_path) < end) return end + 4;
            const bool closes = connection->says_close();
            connection->answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n" +
                                   std::string(closes ? "Connection: close\r\n" : "") + "\r\nOK\n",
                               closes ? StreamConnection::After::close : StreamConnection::After::keep);
            return end + 4;
        };
    }

  private:
    Worker& worker_;
};

struct EpollKind {
    static constexpr auto drive = WorkerOptions::Drive::dispatch;
    static void run(Worker& worker, Listener listener, const OnReady& on_ready) {
        epoll::Loop loop(worker);
        StreamHello hello(worker);
        const epoll::Server server(worker, loop, std::move(listener), hello.serve());
        on_ready();
        loop.run();
    }
};

struct UvKind {
    static constexpr auto drive = WorkerOptions::Drive::dispatch;
    static void run(Worker& worker, Listener listener, const OnReady& on_ready) {
        uv_loop_t own;
        uv_loop_init(&own);
        {
            uv::Loop loop(worker, &own);
            StreamHello hello(worker);
            const uv::Server server(worker, loop, std::move(listener), hello.serve());
            on_ready();
            loop.run();
        }
        uv_run(&own, UV_RUN_DEFAULT);
        uv_loop_close(&own);
    }
};

class LibeventKind {
  public:
    static constexpr auto drive = WorkerOptions::Drive::dispatch;
    static void run(Worker& worker, Listener listener, const OnReady& on_ready) {
        const std::unique_ptr<event_base, decltype(&event_base_free)> base(event_base_new(), &event_base_free);
        const std::unique_ptr<evhttp, decltype(&evhttp_free)> http(evhttp_new(base.get()), &evhttp_free);
        libevent::Server server(worker, base.get(), http.get(), std::move(listener));
        LibeventKind kind{server};
        evhttp_set_gencb(
            http.get(), [](evhttp_request* request, void* self) { static_cast<LibeventKind*>(self)->answer(request); },
            &kind);
        worker.on_cancel([&] { kind.waiting_.clear(); });
        on_ready();
        server.run();
    }

  private:
    explicit LibeventKind(libevent::Server& server) : server_(server) {}
    void answer(evhttp_request* request) {
        std::optional<Request> counted = server_.begin(request, "GET");
        if (!counted) return;
        if (evhttp_request_get_uri(request) == wait_path) return waiting_.push_back(*std::move(counted));
        const std::unique_ptr<evbuffer, decltype(&evbuffer_free)> body(evbuffer_new(), &evbuffer_free);
        evbuffer_add(body.get(), "OK\n", 3);
        server_.reply(request, HTTP_OK, "OK", body.get());
    }

    libevent::Server& server_;
    std::vector<Request> waiting_;
};

class MicrohttpdKind {
  public:
    static constexpr auto drive = WorkerOptions::Drive::helper_thread;
    static void run(Worker& worker, Listener listener, const OnReady& on_ready) {
        MicrohttpdKind kind;
        microhttpd::Server server(worker, std::move(listener),
                                  {.handler = &MicrohttpdKind::answer, .handler_argument = &kind});
        kind.server_ = &server;
        on_ready();
        worker.wait();
    }

  private:
    static MHD_Result answer(void* self, MHD_Connection* connection, const char* url, const char*, const char*,
                             const char*, std::size_t*, void** state) {
        auto& server = *static_cast<MicrohttpdKind*>(self)->server_;
        const bool is_first = std::exchange(*state, self) == nullptr;
        if (url == wait_path && is_first) {
            server.suspend(connection, std::chrono::hours(1));
            return MHD_YES;
        }
        std::string text = "OK\n";
        const std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)> response(
            MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY), &MHD_destroy_response);
        return is_first ? MHD_YES : server.answer(connection, MHD_HTTP_OK, response.get());
    }

    microhttpd::Server* server_ = nullptr;
};

}  // namespace holdfast::testing
