// HTTP/1.1 in a plain epoll loop, without any other thread. The service: http_text.hpp.

#include <exception>
#include <holdfast/epoll.hpp>
#include <iostream>

#include "http_text.hpp"
#include "stream_hello.hpp"

namespace {

int run() {
    holdfast::Worker worker({.drive = holdfast::WorkerOptions::Drive::dispatch});
    holdfast::epoll::Loop loop(worker);
    StreamHello hello(worker, loop);
    holdfast::epoll::Server server(
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
        std::cerr << "epoll-http: " << failure.what() << '\n';
        return 1;
    }
}
