#pragma once

#include <cstddef>
#include <holdfast/stream.hpp>
#include <memory>
#include <string>

#include "http_text.hpp"

// The service of the examples with an event loop of holdfast/stream.hpp.
template <class Loop>
class StreamHello {
  public:
    using Connection = holdfast::StreamConnection;

    StreamHello(holdfast::Worker& worker, Loop& loop) : worker_(worker), loop_(loop) {}

    std::size_t serve(const std::shared_ptr<Connection>& connection) {
        const auto request = http_text::parse(connection->input());
        if (request && !request->is_served) {
            connection->answer(http_text::refusal(request->refusal, worker_id_), Connection::After::close);
            return connection->input().size();
        }
        if (!request || connection->input().size() < request->bytes()) return 0;
        connection->hold(worker_.begin_request(request->name()));
        const http_text::Body body = http_text::body_for(request->target, request->body_bytes);
        loop_.after(request->ms, [this, connection, body, keeps = request->keep_alive] {
            const bool closes = !keeps || connection->says_close();
            const auto says = closes ? http_text::Says::close : http_text::Says::keep_alive;
            connection->answer(http_text::response_head("200 OK", body.size(), worker_id_, says) + body.text +
                                   std::string(body.filler_bytes, 'x'),
                               closes ? Connection::After::close : Connection::After::keep);
        });
        return request->bytes();
    }

  private:
    holdfast::Worker& worker_;
    Loop& loop_;
    const std::string worker_id_ = http_text::worker_id();
};
