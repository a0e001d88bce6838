// HTTP/1.1 in an event loop of libuv, without any other thread. `GET /` answers "OK"; `/?ms=250` does so after 250 ms.

#include <csignal>
#include <exception>
#include <holdfast/libuv.hpp>
#include <iostream>

#include "http_text.hpp"

namespace {

using Connection = holdfast::StreamConnection;

class Hello {
  public:
    Hello(holdfast::Worker& worker, holdfast::uv::Loop& loop) : worker_(worker), loop_(loop) {}

    std::size_t serve(const std::shared_ptr<Connection>& connection) {
        const auto request = http_text::parse(connection->input());
        if (request && !request->is_served) connection->abandon();
        if (!request || connection->input().size() < request->bytes()) return 0;
        connection->hold(worker_.begin_request(request->name()));
        loop_.after(request->ms, [this, connection, keeps = request->keep_alive] {
            const bool closes = !keeps || connection->says_close();
            connection->answer(
                http_text::answer(worker_id_, closes ? http_text::Says::close : http_text::Says::keep_alive),
                closes ? Connection::After::close : Connection::After::keep);
        });
        return request->bytes();
    }

  private:
    holdfast::Worker& worker_;
    holdfast::uv::Loop& loop_;
    const std::string worker_id_ = http_text::worker_id();
};

int run() {
    std::signal(SIGPIPE, SIG_IGN);  // libuv writes with it
    holdfast::Worker worker({.drive = holdfast::WorkerOptions::Drive::dispatch});
    holdfast::uv::Loop loop(worker, uv_default_loop());
    Hello hello(worker, loop);
    holdfast::uv::Server server(worker, loop, worker.listen("http", ":8080"),
                                [&](const auto& connection) { return hello.serve(connection); });
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
