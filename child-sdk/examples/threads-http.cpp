// HTTP/1.1 with keep-alive in plain blocking code, with a thread for each connection.

#include <array>
#include <exception>
#include <holdfast/blocking.hpp>
#include <iostream>
#include <optional>
#include <string>

#include "http_text.hpp"

using holdfast::BlockingConnection;

namespace {

// Appends to `bytes`, which may hold the rest of earlier reads. Returns nothing if the client disconnected or the
// request cannot be served.
std::optional<http_text::Request> read_request(BlockingConnection& connection, std::string& bytes) {
    std::array<char, 4096> part;
    for (;;) {
        const std::optional<http_text::Request> request = http_text::parse(bytes);
        if (request && !request->is_served) return std::nullopt;
        if (request && bytes.size() >= request->bytes()) return request;
        const std::size_t size = connection.read_some(part);
        if (size == 0) return std::nullopt;
        bytes.append(part.data(), size);
    }
}

void serve(holdfast::Worker& worker, const std::string& id, BlockingConnection& connection) {
    std::string bytes;
    while (!bytes.empty() || connection.wait_for_request() == BlockingConnection::Next::request) {
        const std::optional<http_text::Request> request = read_request(connection, bytes);
        if (!request) return;
        const holdfast::Request counted = worker.begin_request(request->name());
        if (!connection.wait_for(request->ms)) return;
        const bool is_last = connection.says_close() || !request->keep_alive;
        const auto says = is_last ? http_text::Says::close : http_text::Says::keep_alive;
        if (!connection.write_all(http_text::answer(id, says)) || is_last) return;
        bytes.erase(0, request->bytes());
    }
}

}  // namespace

int main() try {
    holdfast::Worker worker;
    const std::string id = http_text::worker_id();
    holdfast::BlockingServer server(worker, worker.listen("http", http_text::address(":8080")),
                                    [&](BlockingConnection& connection) { serve(worker, id, connection); });
    worker.ready();
    return worker.wait();
} catch (const std::exception& failure) {
    std::cerr << "threads-http: " << failure.what() << '\n';
    return 1;
}
