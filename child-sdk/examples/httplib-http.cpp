// HTTP/1.1 with keep-alive on cpp-httplib, without its accept loop. The service: http_text.hpp.

#include <chrono>
#include <condition_variable>
#include <exception>
#include <holdfast/httplib.hpp>
#include <iostream>
#include <mutex>
#include <string>

#include "http_text.hpp"

namespace {

// Stands for the work of a request: only waits.
class Work {
  public:
    void take(std::chrono::milliseconds duration) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, duration, [this] { return is_abandoned_; });
    }

    void abandon() {
        const std::lock_guard lock(mutex_);
        is_abandoned_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_abandoned_ = false;
};

void answer(const httplib::Request& request, httplib::Response& response, std::size_t body_bytes) {
    const http_text::Body body = http_text::body_for(request.target, body_bytes);
    if (body.filler_bytes == 0) return response.set_content(body.text, "text/plain");
    response.set_content_provider(body.filler_bytes, "text/plain",
                                  [](std::size_t, std::size_t left, httplib::DataSink& sink) {
                                      const std::string_view part = http_text::filler(left);
                                      return sink.write(part.data(), part.size());
                                  });
}

}  // namespace

int main() try {
    holdfast::Worker worker;
    Work work;
    holdfast::HttplibServer server(worker);
    server.Get(".*", [&](const httplib::Request& request, httplib::Response& response) {
        work.take(http_text::ms_of(request.target));
        answer(request, response, 0);
    });
    server.Post(".*", [&](const httplib::Request& request, httplib::Response& response,
                          const httplib::ContentReader& read_body) {
        std::size_t body_bytes = 0;
        const bool is_complete = read_body([&](const char*, std::size_t size) {
            body_bytes += size;
            return true;
        });
        if (!is_complete) return;  // the library has set the status
        work.take(http_text::ms_of(request.target));
        answer(request, response, body_bytes);
    });
    server.set_payload_max_length(http_text::max_body_bytes);
    server.set_default_headers({{"X-Worker", http_text::worker_id()}});

    worker.on_cancel([&] { work.abandon(); });
    server.serve(worker.listen("http", http_text::address(":8080")));
    worker.ready();
    return worker.wait();
} catch (const std::exception& failure) {
    std::cerr << "httplib-http: " << failure.what() << '\n';
    return 1;
}
