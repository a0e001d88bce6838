// The behaviour of the adapters with an event loop in each stage. It is the same for all of them.

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "call_recorder.hpp"
#include "client.hpp"
#include "fake_supervisor.hpp"
#include "loop_kinds.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view request = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
constexpr std::string_view endless_request = "GET /wait HTTP/1.1\r\nHost: test\r\n\r\n";

// Reads a response. Returns "close" if it contains "Connection: close", else "keep".
std::string read_answer(const Client& client) {
    EXPECT_EQ(client.read_line(), "HTTP/1.1 200 OK\r");
    std::string connection_header = "keep";
    for (std::string line = client.read_line(); line != "\r" && !line.empty(); line = client.read_line())
        if (line == "Connection: close\r") connection_header = "close";
    EXPECT_EQ(client.read_line(), "OK");
    return connection_header;
}

std::string ask(const Client& client) {
    client.send(request);
    return read_answer(client);
}

bool has_one_request(const Report& report) { return report.in_flight == 1; }

template <class Kind>
class Loop : public ::testing::Test {
  protected:
    void begin(std::chrono::milliseconds keep_alive_min) {
        std::promise<void> serving;
        thread = std::jthread([this, keep_alive_min, &serving] {
            std::signal(SIGPIPE, SIG_IGN);
            Worker worker({.keep_alive_min = keep_alive_min, .drive = Kind::drive});
            Listener listener = worker.listen("http", "127.0.0.1:0");
            endpoint.emplace(listener);
            if (before_drain) worker.on_drain(before_drain);
            Kind::run(worker, std::move(listener), [&] {
                worker.ready();
                serving.set_value();
            });
        });
        serving.get_future().wait();
        supervisor.wait_for(accepts);
    }
    void send_stage(Stage stage) {
        supervisor.send_stage(stage);
        supervisor.wait_for(stage == Stage::run ? accepts : has_stopped_accepting);
    }
    // Waits until everything is released and the event loop has ended.
    void end() {
        supervisor.wait_for(is_drained);
        thread.join();
    }
    void TearDown() override {
        if (!thread.joinable()) return;
        supervisor.send_stage(Stage::cancel);
        thread.join();
    }

    FakeSupervisor supervisor;
    std::optional<Endpoint> endpoint;
    std::function<void()> before_drain;  // registered before the callbacks of the server
    std::jthread thread;
};

using Kinds = ::testing::Types<EpollKind, UvKind, LibeventKind, MicrohttpdKind>;
TYPED_TEST_SUITE(Loop, Kinds, );

TYPED_TEST(Loop, KeepsConnectionsDuringAPauseAndAcceptsAgainAtRun) {
    this->begin(1h);
    const Client client(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    this->send_stage(Stage::pause);
    const Client next(*this->endpoint);
    next.send(request);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(client), "keep");
    pollfd queue{.fd = this->endpoint->fd, .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&queue, 1, 0), 1);  // the other connection is still in the queue
    this->send_stage(Stage::run);
    EXPECT_EQ(read_answer(next), "keep");
    EXPECT_EQ(ask(client), "keep");
}

TYPED_TEST(Loop, AnswersAnIdleConnectionOnceMoreDuringTheDrain) {
    this->begin(1h);
    Client client(*this->endpoint), silent(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    this->send_stage(Stage::drain);
    EXPECT_EQ(ask(client), "close");
    EXPECT_EQ(client.read_to_end(), "");
    client.close();
    EXPECT_EQ(ask(silent), "close");
    EXPECT_EQ(silent.read_to_end(), "");
    silent.close();
    this->end();
}

TYPED_TEST(Loop, ServesRequestsThatArrivedBeforeTheDrain) {
    this->begin(1h);
    std::vector<Client> clients;
    for (int i = 0; i < 20; ++i) clients.emplace_back(*this->endpoint).send(request);
    this->send_stage(Stage::drain);
    for (Client& client : clients) {
        read_answer(client);
        client.close();
    }
    this->end();
}

// The worker's descriptor stays readable while the queue is emptied: only dispatch(), which is waiting for that, could
// change it.
TYPED_TEST(Loop, HandlesACommandThatArrivesWhileItEmptiesTheQueue) {
    std::optional<Client> late;
    this->before_drain = [&] {
        if (late) return;
        late.emplace(*this->endpoint).send(request);
        this->supervisor.send_stage(Stage::drain);
    };
    this->begin(1h);
    this->send_stage(Stage::drain);
    read_answer(*late);
    late->close();
    this->end();
}

TYPED_TEST(Loop, KeepsAnIdleConnectionForKeepAliveMin) {
    constexpr auto time = 100ms;
    this->begin(time);
    Client client(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    const auto drain_began = std::chrono::steady_clock::now();
    this->send_stage(Stage::drain);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_GE(std::chrono::steady_clock::now() - drain_began, time);
    client.close();
    this->end();
}

TYPED_TEST(Loop, ClosesIdleConnectionsImmediatelyIfKeepAliveMinIsZero) {
    this->begin(0ms);
    const Client client(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    this->send_stage(Stage::drain);
    EXPECT_EQ(client.read_to_end(), "");
    this->end();
}

TYPED_TEST(Loop, KeepsItsConnectionsIfADrainIsTakenBack) {
    this->begin(1h);
    const Client client(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    this->send_stage(Stage::drain);
    this->send_stage(Stage::run);
    EXPECT_EQ(ask(client), "keep");
    const Client next(*this->endpoint);
    EXPECT_EQ(ask(next), "keep");
}

TYPED_TEST(Loop, EndsRequestsAtTheCancel) {
    this->begin(1h);
    Client client(*this->endpoint);
    client.send(endless_request);
    this->send_stage(Stage::drain);
    this->supervisor.wait_for(has_one_request);
    this->supervisor.send_stage(Stage::cancel);
    EXPECT_EQ(client.read_to_end(), "");
    client.close();
    this->thread.join();
}

TYPED_TEST(Loop, NoticesThatAClientHasDisconnected) {
    this->begin(1h);
    Client silent(*this->endpoint), asked(*this->endpoint);
    EXPECT_EQ(ask(asked), "keep");
    this->send_stage(Stage::drain);
    silent.close();
    asked.close();
    this->end();
}

TEST(EpollHandler, ThatThrowsEndsItsConnectionOnly) {
    FakeSupervisor supervisor;
    std::optional<Endpoint> endpoint;
    std::promise<void> serving;
    std::jthread thread([&] {
        Worker worker({.drive = WorkerOptions::Drive::dispatch});
        Listener listener = worker.listen("http", "127.0.0.1:0");
        endpoint.emplace(listener);
        epoll::Loop loop(worker);
        epoll::Server server(worker, loop, std::move(listener), [](const auto& connection) -> std::size_t {
            if (connection->input().starts_with("throw")) throw std::runtime_error("no such order");
            connection->answer("ok", StreamConnection::After::close);
            return connection->input().size();
        });
        worker.ready();
        serving.set_value();
        loop.run();
    });
    serving.get_future().wait();
    const Client unlucky(*endpoint), other(*endpoint);
    unlucky.send("throw");
    EXPECT_EQ(unlucky.read_to_end(), "");
    other.send("hello");
    EXPECT_EQ(other.read_to_end(), "ok");
    supervisor.send_stage(Stage::cancel);
}

}  // namespace
}  // namespace holdfast::testing
