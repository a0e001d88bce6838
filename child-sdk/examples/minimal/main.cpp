// The program of the manual, completed to a working server.

#include <condition_variable>
#include <holdfast/worker.hpp>
#include <mutex>
#include <stop_token>

#include "my_server.hpp"

namespace {

struct Pool {
    void close() {}
} pool;

void consume(const std::stop_token& stop) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any().wait(lock, stop, [] { return false; });
}

}  // namespace

int main() {
    holdfast::Worker worker;                                   // joins its supervisor, or stands alone
    holdfast::Listener http = worker.listen("http", ":8080");  // inherited, or bound here when alone
    MyServer server{http.fd()};
    server.serve([&] {
        auto request = worker.begin_request("GET /report");  // counted, named, released by scope
        return "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n";
    });

    worker.accepts([&] { server.stop_accepting(); }, [&] { server.start_accepting(); });
    worker.start_task("consumer", [](std::stop_token stop) { consume(stop); });  // NOLINT: as in the manual
    worker.close_last("database", [&] { pool.close(); });  // in reverse order, when nothing uses them any more
    worker.ready();
    return worker.wait();  // 0 once everything is released
}
