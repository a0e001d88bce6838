// HTTP/1.1 in an event loop of libuv, without any other thread. The service: http_text.hpp.

#include <csignal>
#include <exception>
#include <holdfast/libuv.hpp>
#include <iostream>

#include "http_text.hpp"
#include "stream_hello.hpp"

namespace {

int run() {
    std::signal(SIGPIPE, SIG_IGN);  // libuv does not suppress SIGPIPE
    holdfast::Worker worker({.drive = holdfast::WorkerOptions::Drive::dispatch});
    holdfast::uv::Loop loop(worker, uv_default_loop());
    StreamHello hello(worker, loop);
    holdfast::uv::Server server(
        worker, loop, worker.listen("http", http_text::address(":8080")),
        [&](const auto& connection) { return hello.serve(connection); }, hello.options());
    worker.ready();
    return loop.run();
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& failure) {
        std::cerr << "libuv-http: " << failure.what() << '\n';
        return 1;
    }
}
