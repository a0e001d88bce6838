#pragma once

#include <cstddef>
#include <holdfast/stream.hpp>
#include <memory>
#include <string>

#include "http_text.hpp"

// The service of the examples with an event loop of holdfast/stream.hpp: answers "OK", for "?ms=250" after a delay.
template <class Loop>
class StreamHello {
  public:
    using Connection = holdfast::StreamConnection;

    StreamHello(holdfast::Worker& worker, Loop& loop) : worker_(worker), loop_(loop) {}

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
    Loop& loop_;
    const std::string worker_id_ = http_text::worker_id();
};
