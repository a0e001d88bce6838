// HTTP/1.1 by evhttp. The service: http_text.hpp.

#include <csignal>
#include <exception>
#include <holdfast/libevent.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "http_text.hpp"

namespace {

class Hello {
  public:
    Hello(holdfast::libevent::Server& server, event_base* base) : server_(server), base_(base) {}

    void serve(evhttp_request* request) {
        const std::string target = evhttp_request_get_uri(request);
        auto counted = server_.begin(request, "GET " + target.substr(0, target.find('?')));
        if (!counted) return;
        const auto ms = http_text::ms_of(target).count();
        const timeval delay{.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
        auto* const work = new Work{*this, request, *std::move(counted)};
        event_base_once(base_, -1, EV_TIMEOUT, &Hello::answer, work, &delay);
    }

  private:
    struct Work {
        Hello& hello;
        evhttp_request* request;
        holdfast::Request counted;
    };

    static void answer(int, short, void* argument) {
        const std::unique_ptr<Work> work(static_cast<Work*>(argument));
        evkeyvalq* const headers = evhttp_request_get_output_headers(work->request);
        evhttp_add_header(headers, "X-Worker", work->hello.worker_id_.c_str());
        evhttp_add_header(headers, "Content-Type", "text/plain");
        const std::unique_ptr<evbuffer, decltype(&evbuffer_free)> body(evbuffer_new(), &evbuffer_free);
        const std::size_t received = evbuffer_get_length(evhttp_request_get_input_buffer(work->request));
        add(body.get(), http_text::body_for(evhttp_request_get_uri(work->request), received));
        work->hello.server_.reply(work->request, HTTP_OK, "OK", body.get());
    }

    static void add(evbuffer* bytes, const http_text::Body& body) {
        evbuffer_add(bytes, body.text.data(), body.text.size());
        for (std::size_t left = body.filler_bytes; left > 0;) {
            const std::string_view part = http_text::filler(left);
            evbuffer_add_reference(bytes, part.data(), part.size(), nullptr, nullptr);
            left -= part.size();
        }
    }

    holdfast::libevent::Server& server_;
    event_base* base_;
    const std::string worker_id_ = http_text::worker_id();
};

int run() {
    std::signal(SIGPIPE, SIG_IGN);  // libevent does not suppress SIGPIPE
    holdfast::Worker worker({.drive = holdfast::WorkerOptions::Drive::dispatch});
    const std::unique_ptr<event_base, decltype(&event_base_free)> base(event_base_new(), &event_base_free);
    const std::unique_ptr<evhttp, decltype(&evhttp_free)> http(evhttp_new(base.get()), &evhttp_free);
    holdfast::libevent::Server server(worker, base.get(), http.get(),
                                      worker.listen("http", http_text::address(":8080")));
    evhttp_set_max_headers_size(http.get(), http_text::max_head_bytes);
    evhttp_set_max_body_size(http.get(), http_text::max_body_bytes);
    Hello hello(server, base.get());
    evhttp_set_gencb(
        http.get(), [](evhttp_request* request, void* self) { static_cast<Hello*>(self)->serve(request); }, &hello);
    worker.ready();
    return server.run();
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& failure) {
        std::cerr << "libevent-http: " << failure.what() << '\n';
        return 1;
    }
}
