// What the shortest tutorial on graceful shutdown does, but complete: HTTP/1.1 with keep-alive, a background task, a
// pool that closes last, readiness. `GET /` answers "OK"; `/?ms=2000` does so after two seconds.

#include <cstdlib>
#include <exception>
#include <holdfast/worker.hpp>
#include <iostream>

#include "access_log.hpp"
#include "pool.hpp"
#include "server.hpp"

namespace {

int run() {
    holdfast::Worker worker;
    const holdfast::Listener listener = worker.listen("http", ":8080");
    const char* path = std::getenv("HELLO_ACCESS_LOG");
    AccessLog log(path == nullptr ? "/dev/null" : path);
    Pool pool;
    Server server(worker, listener, pool, log);

    worker.on_pause([&] { server.stop_accepting(); });
    worker.on_drain([&] { server.leave(); });
    worker.on_run([&] { server.start_accepting(); });
    worker.on_cancel([&] { server.abandon(); });
    worker.close_last("access-log", [&] { log.close(); });
    worker.close_last("pool", [&] { pool.close(); });
    worker.start_task("log-writer", [&](const std::stop_token& stop) { log.write_until(stop); });

    server.start_accepting();
    worker.ready();
    return worker.wait();
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& failure) {
        std::cerr << "hello-http: " << failure.what() << '\n';
        return 1;
    }
}
