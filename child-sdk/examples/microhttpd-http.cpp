// HTTP/1.1 by libmicrohttpd. The service: http_text.hpp.

#include <exception>
#include <holdfast/microhttpd.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "http_text.hpp"

namespace {

class Hello {
  public:
    explicit Hello(holdfast::Worker& worker)
        : server_(worker, worker.listen("http", http_text::address(":8080")),
                  {.handler = &Hello::on_request, .handler_argument = this, .completed = &Hello::on_completed}) {}

  private:
    // A request in progress: receives the body, works, is answered.
    struct Exchange {
        std::size_t body_bytes = 0;
        bool has_worked = false;
    };
    using Response = std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)>;

    static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char*, const char*,
                                 const char*, std::size_t* part_bytes, void** state) {
        if (*state == nullptr) {
            *state = new Exchange;
            // The library takes an answer now, or after the last part of the body.
            return announced_bytes(connection) <= http_text::max_body_bytes
                       ? MHD_YES
                       : static_cast<Hello*>(self)->answer(connection, MHD_HTTP_CONTENT_TOO_LARGE, {});
        }
        auto& exchange = *static_cast<Exchange*>(*state);
        const std::size_t part = std::exchange(*part_bytes, 0);
        exchange.body_bytes += part;
        return part > 0 ? MHD_YES : static_cast<Hello*>(self)->serve(connection, url, exchange);
    }
    static void on_completed(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
        delete static_cast<Exchange*>(*state);
    }

    MHD_Result serve(MHD_Connection* connection, const std::string& url, Exchange& exchange) {
        if (!std::exchange(exchange.has_worked, true)) {
            server_.suspend(connection, std::chrono::milliseconds(query(connection, "ms")));
            return MHD_YES;
        }
        if (exchange.body_bytes > http_text::max_body_bytes) return answer(connection, MHD_HTTP_CONTENT_TOO_LARGE, {});
        const std::string target = url + "?n=" + std::to_string(query(connection, "n"));
        return answer(connection, MHD_HTTP_OK, http_text::body_for(target, exchange.body_bytes));
    }

    MHD_Result answer(MHD_Connection* connection, unsigned status, const http_text::Body& body) {
        const Response response = response_with(body);
        MHD_add_response_header(response.get(), "X-Worker", worker_id_.c_str());
        MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
        if (status != MHD_HTTP_OK) MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONNECTION, "close");
        return server_.answer(connection, status, response.get());
    }

    static Response response_with(const http_text::Body& body) {
        if (body.filler_bytes == 0) {
            std::string text = body.text;
            return {MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY),
                    &MHD_destroy_response};
        }
        constexpr std::size_t block_bytes = std::size_t{64} * 1024;
        const MHD_ContentReaderCallback fill = [](void*, std::uint64_t, char* part, std::size_t most) {
            return static_cast<ssize_t>(http_text::filler(most).copy(part, most));
        };
        return {MHD_create_response_from_callback(body.filler_bytes, block_bytes, fill, nullptr, nullptr),
                &MHD_destroy_response};
    }

    static std::size_t announced_bytes(MHD_Connection* connection) {
        const char* const value =
            MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
        return http_text::number(value == nullptr ? "" : value).value_or(0);
    }

    static std::size_t query(MHD_Connection* connection, const char* key) {
        const char* const value = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, key);
        return http_text::number(value == nullptr ? "" : value).value_or(0);
    }

    const std::string worker_id_ = http_text::worker_id();
    holdfast::microhttpd::Server server_;
};

int run() {
    holdfast::Worker worker;
    Hello hello(worker);
    worker.ready();
    return worker.wait();
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& failure) {
        std::cerr << "microhttpd-http: " << failure.what() << '\n';
        return 1;
    }
}
