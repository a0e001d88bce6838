// HTTP/1.1 with keep-alive on cpp-httplib, without its accept loop.

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

}  // namespace

int main() try {
    holdfast::Worker worker;
    Work work;
    const auto answer = [&](const httplib::Request& request, httplib::Response& response) {
        work.take(http_text::ms_of(request.target));
        response.set_content("OK\n", "text/plain");
    };
    holdfast::HttplibServer server(worker);
    server.Get(".*", answer);
    server.Post(".*", answer);
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
