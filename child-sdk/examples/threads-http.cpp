// HTTP/1.1 with keep-alive in plain blocking code, with a thread for each connection. The service: http_text.hpp.

#include <algorithm>
#include <array>
#include <exception>
#include <holdfast/blocking.hpp>
#include <iostream>
#include <optional>
#include <string>

#include "http_text.hpp"

using holdfast::BlockingConnection;

namespace {

// One connection. `bytes_` holds what was read and not used yet.
class Conversation {
  public:
    Conversation(holdfast::Worker& worker, const std::string& id, BlockingConnection& connection)
        : worker_(worker), id_(id), connection_(connection) {}

    void serve() {
        while (!bytes_.empty() || connection_.wait_for_request() == BlockingConnection::Next::request) {
            const std::optional<http_text::Request> request = read_head();
            if (!request) return;
            if (!request->is_served) {
                connection_.write_all(http_text::refusal(request->refusal, id_));
                return;
            }
            const holdfast::Request counted = worker_.begin_request(request->name());
            if (!serve(*request)) return;
        }
    }

  private:
    // Returns nothing if the client disconnected.
    std::optional<http_text::Request> read_head() {
        for (;;) {
            if (const auto request = http_text::parse(bytes_)) return request;
            if (!read_more()) return std::nullopt;
        }
    }

    bool read_more() {
        std::array<char, 16 * 1024> part;
        const std::size_t size = connection_.read_some(part);
        bytes_.append(part.data(), size);
        return size > 0;
    }

    // Returns whether another request may follow.
    bool serve(const http_text::Request& request) {
        const std::string target(request.target);
        bytes_.erase(0, request.head_bytes);  // the views of `request` are invalid from here on
        if (!skip(request.body_bytes) || !connection_.wait_for(request.ms)) return false;
        const http_text::Body body = http_text::body_for(target, request.body_bytes);
        const bool is_last = connection_.says_close() || !request.keep_alive;
        const auto says = is_last ? http_text::Says::close : http_text::Says::keep_alive;
        const std::string head = http_text::response_head("200 OK", body.size(), id_, says);
        return connection_.write_all(head + body.text) && write_filler(body.filler_bytes) && !is_last;
    }

    // Reads `left` bytes of a body.
    bool skip(std::size_t left) {
        for (;;) {
            const std::size_t taken = std::min(left, bytes_.size());
            bytes_.erase(0, taken);
            left -= taken;
            if (left == 0) return true;
            if (!read_more()) return false;
        }
    }

    bool write_filler(std::size_t left) {
        while (left > 0) {
            const std::string_view part = http_text::filler(left);
            if (!connection_.write_all(part)) return false;
            left -= part.size();
        }
        return true;
    }

    holdfast::Worker& worker_;
    const std::string& id_;
    BlockingConnection& connection_;
    std::string bytes_;
};

}  // namespace

int main() try {
    holdfast::Worker worker;
    const std::string id = http_text::worker_id();
    holdfast::BlockingServer server(
        worker, worker.listen("http", http_text::address(":8080")),
        [&](BlockingConnection& connection) { Conversation(worker, id, connection).serve(); });
    worker.ready();
    return worker.wait();
} catch (const std::exception& failure) {
    std::cerr << "threads-http: " << failure.what() << '\n';
    return 1;
}
