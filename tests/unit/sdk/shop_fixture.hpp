#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "call_recorder.hpp"
#include "client.hpp"
#include "fake_supervisor.hpp"
#include "workshop.hpp"

namespace holdfast::testing {

// A kind of server (see workshop.hpp) on a listener of one address family.
template <class Shop, int Family>
struct On {
    using Kind = Shop;
    static constexpr int family = Family;
};

// Runs the server of a kind on its own thread, under a fake supervisor. Requests use the resource "tool".
template <class Where>
class ShopTest : public ::testing::Test {
  protected:
    using Kind = typename Where::Kind;

    void begin(TransferLimits limits = {}) {
        std::promise<void> serving;
        thread = std::jthread([this, limits, &serving] {
            std::signal(SIGPIPE, SIG_IGN);
            Worker own({.keep_alive_min = std::chrono::milliseconds(1), .drive = Kind::drive});
            worker = &own;
            Listener listener = own.listen("http", "127.0.0.1:0");
            endpoint.emplace(listener);
            own.resource("tool", [this] { shop.close(); }).used_by(requests);
            status = Kind::run({own, std::move(listener), shop, limits, [&] {
                                    own.on_cancel([this] { cancelled.set_value(); });  // after those of the server
                                    own.ready();
                                    serving.set_value();
                                }});
        });
        serving.get_future().wait();
        supervisor.wait_for(accepts);
    }

    // The status and the body of a response.
    static std::string body_of(const std::string& response) {
        const std::size_t end = response.find("\r\n\r\n");
        return end == response.npos ? response : response.substr(end + 4);
    }
    static std::string status_of(const std::string& response) { return response.substr(0, response.find("\r\n")); }

    // Asks for "/" on a new connection: what the server has to do before that is done when this returns.
    void ask_another() const {
        const Client client(*endpoint);
        client.send("GET /count HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        client.read_to_end();
    }

    bool has_no_connections() const { return worker->report().sessions == 0; }

    void end() {
        if (!thread.joinable()) return;
        thread.join();
        worker = nullptr;
    }

    void TearDown() override {
        shop.end_work();
        if (thread.joinable()) supervisor.send_stage(Stage::cancel);
        end();
    }

    FakeSupervisor supervisor{Where::family};
    Workshop shop;
    Worker* worker = nullptr;
    std::optional<Endpoint> endpoint;
    int status = -1;
    std::promise<void> cancelled;
    std::jthread thread;
};

}  // namespace holdfast::testing
