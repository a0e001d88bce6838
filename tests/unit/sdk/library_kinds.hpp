#pragma once

#include <holdfast/httplib.hpp>
#include <holdfast/libevent.hpp>
#include <holdfast/microhttpd.hpp>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "workshop.hpp"

namespace holdfast::testing {

// The service of Workshop by cpp-httplib.
struct HttplibShop {
    static constexpr auto drive = WorkerOptions::Drive::helper_thread;
    static int run(Setup setup) {
        HttplibServer server(setup.worker);
        server.Get("/work", [&](const httplib::Request&, httplib::Response&) { setup.shop.work(); });
        server.Get("/stay", [&](const httplib::Request& request, httplib::Response&) {
            Workshop::stay(server.as_session(request));
            server.connection(request).wait_for(std::chrono::hours(1));
        });
        server.Get("/bytes", [](const httplib::Request& request, httplib::Response& response) {
            response.set_content_provider(http_text::query(request.target, "n"), "text/plain",
                                          [](std::size_t, std::size_t left, httplib::DataSink& sink) {
                                              const std::string_view part = http_text::filler(left);
                                              return sink.write(part.data(), part.size());
                                          });
        });
        server.Post("/count",
                    [](const httplib::Request&, httplib::Response& response, const httplib::ContentReader& read) {
                        std::size_t bytes = 0;
                        if (read([&](const char*, std::size_t size) { return (bytes += size) > 0; }))
                            response.set_content(std::to_string(bytes), "text/plain");
                    });
        server.set_payload_max_length(http_text::max_body_bytes);
        server.serve(std::move(setup.listener),
                     {.transfer_period = setup.limits.period, .min_rate = setup.limits.min_rate});
        setup.on_ready();
        return setup.worker.wait();
    }
};

// The same by evhttp.
class LibeventShop {
  public:
    static constexpr auto drive = WorkerOptions::Drive::dispatch;
    static int run(Setup setup) {
        const std::unique_ptr<event_base, decltype(&event_base_free)> base(event_base_new(), &event_base_free);
        const std::unique_ptr<evhttp, decltype(&evhttp_free)> http(evhttp_new(base.get()), &evhttp_free);
        evhttp_set_max_headers_size(http.get(), http_text::max_head_bytes);
        evhttp_set_max_body_size(http.get(), http_text::max_body_bytes);
        libevent::Server server(setup.worker, base.get(), http.get(), std::move(setup.listener));
        LibeventShop shop(setup, base.get(), server);
        evhttp_set_gencb(
            http.get(), [](evhttp_request* request, void* self) { static_cast<LibeventShop*>(self)->serve(request); },
            &shop);
        setup.on_ready();
        return server.run();
    }

  private:
    struct Work {
        LibeventShop& self;
        evhttp_request* request;
        Request counted;
        Workshop::Use use;
    };

    LibeventShop(Setup& setup, event_base* base, libevent::Server& server)
        : setup_(setup), base_(base), server_(server) {}

    void serve(evhttp_request* request) {
        const std::string path = path_of(evhttp_request_get_uri(request));
        auto counted = server_.begin(request, "GET " + path);
        if (!counted) return;
        if (path == "/stay") return Workshop::stay(*server_.session(request));
        if (path != "/work") return answer(request);
        wait(new Work{*this, request, *std::move(counted), Workshop::Use(setup_.shop)});
    }

    void wait(Work* work) {
        const timeval delay{.tv_sec = 0, .tv_usec = 1000};
        event_base_once(base_, -1, EV_TIMEOUT, &LibeventShop::go_on, work, &delay);
    }
    static void go_on(int, short, void* argument) {
        auto* const work = static_cast<Work*>(argument);
        if (!work->self.setup_.shop.is_over()) return work->self.wait(work);
        const std::unique_ptr<Work> owner(work);
        work->self.answer(work->request);
    }

    void answer(evhttp_request* request) {
        const std::unique_ptr<evbuffer, decltype(&evbuffer_free)> bytes(evbuffer_new(), &evbuffer_free);
        const std::size_t received = evbuffer_get_length(evhttp_request_get_input_buffer(request));
        const http_text::Body body = http_text::body_for(evhttp_request_get_uri(request), received);
        const std::string text = body.text + std::string(body.filler_bytes, 'x');
        evbuffer_add(bytes.get(), text.data(), text.size());
        evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
        server_.reply(request, HTTP_OK, "OK", bytes.get());
    }

    Setup& setup_;
    event_base* base_;
    libevent::Server& server_;
};

// The same by libmicrohttpd.
class MicrohttpdShop {
  public:
    static constexpr auto drive = WorkerOptions::Drive::helper_thread;
    static int run(Setup setup) {
        MicrohttpdShop shop(setup);
        microhttpd::Server server(setup.worker, std::move(setup.listener),
                                  {.handler = &MicrohttpdShop::serve,
                                   .handler_argument = &shop,
                                   .completed = [](void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
                                       delete static_cast<Exchange*>(*state);
                                   }});
        shop.server_ = &server;
        setup.on_ready();
        return setup.worker.wait();
    }

  private:
    struct Exchange {
        std::size_t body_bytes = 0;
        bool has_stayed = false;
        std::jthread worker;
    };

    explicit MicrohttpdShop(Setup& setup) : setup_(setup) {}

    static MHD_Result serve(void* self, MHD_Connection* connection, const char* url, const char*, const char*,
                            const char*, std::size_t* part_bytes, void** state) {
        if (*state == nullptr) {
            *state = new Exchange;
            return MHD_YES;
        }
        auto& exchange = *static_cast<Exchange*>(*state);
        const std::size_t part = std::exchange(*part_bytes, 0);
        exchange.body_bytes += part;
        return part > 0 ? MHD_YES : static_cast<MicrohttpdShop*>(self)->go_on(connection, url, exchange);
    }

    MHD_Result go_on(MHD_Connection* connection, const std::string& path, Exchange& exchange) {
        if (path == "/stay" && !std::exchange(exchange.has_stayed, true)) {
            server_->as_session(connection, &Workshop::stay);
            server_->suspend(connection, std::chrono::hours(1));
            return MHD_YES;
        }
        if (path == "/work" && !exchange.worker.joinable()) {
            MHD_suspend_connection(connection);
            exchange.worker = std::jthread([this, connection] {
                setup_.shop.work();
                MHD_resume_connection(connection);
            });
            return MHD_YES;
        }
        const char* const n = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "n");
        const http_text::Body body = http_text::body_for(path + "?n=" + (n == nullptr ? "0" : n), exchange.body_bytes);
        std::string text = body.text + std::string(body.filler_bytes, 'x');
        const bool is_too_long = exchange.body_bytes > http_text::max_body_bytes;
        const std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)> response(
            MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY), &MHD_destroy_response);
        MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONNECTION, "close");
        return server_->answer(connection, is_too_long ? MHD_HTTP_CONTENT_TOO_LARGE : MHD_HTTP_OK, response.get());
    }

    Setup& setup_;
    microhttpd::Server* server_ = nullptr;
};

}  // namespace holdfast::testing
