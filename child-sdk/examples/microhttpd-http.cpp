// HTTP/1.1 by libmicrohttpd. `GET /` answers "OK"; `/?ms=250` does so after 250 ms.

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
    // The progress of a request: its head was read; it is suspended or ready to be answered.
    enum class Step { head, work };

    static MHD_Result on_request(void* self, MHD_Connection* connection, const char*, const char*, const char*,
                                 const char*, std::size_t* body_bytes, void** state) {
        if (*state == nullptr) {
            *state = new Step{Step::head};
            return MHD_YES;
        }
        if (std::exchange(*body_bytes, 0) > 0) return MHD_YES;
        return static_cast<Hello*>(self)->serve(connection, *static_cast<Step*>(*state));
    }
    static void on_completed(void*, MHD_Connection*, void** state, MHD_RequestTerminationCode) {
        delete static_cast<Step*>(*state);
    }

    MHD_Result serve(MHD_Connection* connection, Step& step) {
        if (step == Step::head) {
            step = Step::work;
            const char* const ms = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "ms");
            const auto duration = http_text::number(ms == nullptr ? "" : ms).value_or(0);
            server_.suspend(connection, std::chrono::milliseconds(duration));
            return MHD_YES;
        }
        std::string text = "OK\n";
        const std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)> response(
            MHD_create_response_from_buffer(text.size(), text.data(), MHD_RESPMEM_MUST_COPY), &MHD_destroy_response);
        MHD_add_response_header(response.get(), "X-Worker", worker_id_.c_str());
        MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
        return server_.answer(connection, MHD_HTTP_OK, response.get());
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
