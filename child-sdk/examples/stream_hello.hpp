#pragma once

#include <algorithm>
#include <cstddef>
#include <holdfast/stream.hpp>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

#include "http_text.hpp"

// The service of the examples with an event loop of holdfast/stream.hpp. Bodies are received and sent in parts.
template <class Loop>
class StreamHello {
  public:
    using Connection = holdfast::StreamConnection;
    using Pointer = std::shared_ptr<Connection>;

    StreamHello(holdfast::Worker& worker, Loop& loop) : worker_(worker), loop_(loop) {
        worker_.on_cancel([this] { at_work_.clear(); });  // the clients are gone: what is left of the work is dropped
    }

    holdfast::StreamOptions options() const {
        return {.max_input_bytes = http_text::max_head_bytes, .too_long = [this](std::string_view) {
                    return http_text::refusal("431 Request Header Fields Too Large", worker_id_);
                }};
    }

    std::size_t serve(const Pointer& connection) {
        const auto request = http_text::parse(connection->input());
        if (!request) return 0;
        if (!request->is_served) {
            connection->answer(http_text::refusal(request->refusal, worker_id_), Connection::After::close);
            return connection->input().size();
        }
        connection->hold(worker_.begin_request(request->name()));
        connection->receive([this, exchange = Exchange(*request)](const Pointer& pointer) mutable {
            const std::size_t part = std::min(exchange.left, pointer->input().size());
            pointer->consume(part);
            exchange.left -= part;
            if (exchange.left > 0) return Connection::Want::more;
            work(pointer, exchange);
            return Connection::Want::nothing;
        });
        return request->head_bytes;
    }

  private:
    struct Exchange {
        explicit Exchange(const http_text::Request& request)
            : left(request.body_bytes),
              body(http_text::body_for(request.target, request.body_bytes)),
              ms(request.ms),
              keep_alive(request.keep_alive) {}

        std::size_t left;  // to receive
        http_text::Body body;
        std::chrono::milliseconds ms;
        bool keep_alive;
    };

    void work(const Pointer& connection, const Exchange& exchange) {
        at_work_.insert(connection);
        loop_.after(exchange.ms, [this, exchange, weak = std::weak_ptr(connection)] {
            const Pointer pointer = weak.lock();
            if (pointer && at_work_.erase(pointer) > 0) answer(pointer, exchange);
        });
    }

    void answer(const Pointer& connection, const Exchange& exchange) {
        const bool closes = !exchange.keep_alive || connection->says_close();
        const auto says = closes ? http_text::Says::close : http_text::Says::keep_alive;
        const auto after = closes ? Connection::After::close : Connection::After::keep;
        const http_text::Body& body = exchange.body;
        std::string head = http_text::response_head("200 OK", body.size(), worker_id_, says) + body.text;
        if (body.filler_bytes == 0) return connection->answer(std::move(head), after);
        connection->write(std::move(head));
        send_filler(connection, body.filler_bytes, after);
    }

    void send_filler(const Pointer& connection, std::size_t left, Connection::After after) {
        const std::string_view part = http_text::filler(left);
        left -= part.size();
        if (left == 0) return connection->answer(std::string(part), after);
        connection->write(std::string(part), [this, connection, left, after] { send_filler(connection, left, after); });
    }

    holdfast::Worker& worker_;
    Loop& loop_;
    std::unordered_set<Pointer> at_work_;
    const std::string worker_id_ = http_text::worker_id();
};
