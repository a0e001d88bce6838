// What the adapters that have a loop do with their connections from stage to stage: the same for each of them.

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

// "keep" or "close": what an answer says of its connection.
std::string read_answer(const Client& client) {
    EXPECT_EQ(client.read_line(), "HTTP/1.1 200 OK\r");
    std::string says = "keep";
    for (std::string line = client.read_line(); line != "\r" && !line.empty(); line = client.read_line())
        if (line == "Connection: close\r") says = "close";
    EXPECT_EQ(client.read_line(), "OK");
    return says;
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
            if (first_in_the_drain) worker.on_drain(first_in_the_drain);
            Kind::run(worker, std::move(listener), [&] {
                worker.ready();
                serving.set_value();
            });
        });
        serving.get_future().wait();
        supervisor.wait_for(accepts);
    }
    void tell(Stage stage) {
        supervisor.tell(stage);
        supervisor.wait_for(stage == Stage::run ? accepts : has_stopped_accepting);
    }
    // Everything is released, and the loop has ended.
    void end() {
        supervisor.wait_for(is_drained);
        thread.join();
    }
    void TearDown() override {
        if (!thread.joinable()) return;
        supervisor.tell(Stage::cancel);
        thread.join();
    }

    FakeSupervisor supervisor;
    std::optional<Endpoint> endpoint;
    std::function<void()> first_in_the_drain;  // before the server hears of it
    std::jthread thread;
};

using Kinds = ::testing::Types<EpollKind, UvKind, LibeventKind, MicrohttpdKind>;
TYPED_TEST_SUITE(Loop, Kinds, );

TYPED_TEST(Loop, TouchesNoConnectionInAPauseAndAcceptsAgainAtRun) {
    this->begin(1h);
    const Client client(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    this->tell(Stage::pause);
    const Client next(*this->endpoint);
    next.send(request);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(client), "keep");
    pollfd queue{.fd = this->endpoint->fd, .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&queue, 1, 0), 1);  // nobody has accepted the other one
    this->tell(Stage::run);
    EXPECT_EQ(read_answer(next), "keep");
    EXPECT_EQ(ask(client), "keep");
}

TYPED_TEST(Loop, AnswersAConnectionOnceMoreAfterTheDrainBegan) {
    this->begin(1h);
    Client client(*this->endpoint), silent(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    this->tell(Stage::drain);
    EXPECT_EQ(ask(client), "close");
    EXPECT_EQ(client.read_to_end(), "");
    client.close();
    EXPECT_EQ(ask(silent), "close");
    EXPECT_EQ(silent.read_to_end(), "");
    silent.close();
    this->end();
}

TYPED_TEST(Loop, ServesWhatHadArrivedBeforeTheDrain) {
    this->begin(1h);
    std::vector<Client> clients;
    for (int i = 0; i < 20; ++i) clients.emplace_back(*this->endpoint).send(request);
    this->tell(Stage::drain);
    for (Client& client : clients) {
        read_answer(client);
        client.close();
    }
    this->end();
}

// The worker's descriptor is readable while the queue is emptied: nobody but dispatch(), which waits for that, can
// change it.
TYPED_TEST(Loop, HearsTheNextCommandAfterItEmptiedTheQueue) {
    std::optional<Client> late;
    this->first_in_the_drain = [&] {
        if (late) return;
        late.emplace(*this->endpoint).send(request);
        this->supervisor.tell(Stage::drain);
    };
    this->begin(1h);
    this->tell(Stage::drain);
    read_answer(*late);
    late->close();
    this->end();
}

TYPED_TEST(Loop, KeepsAnIdleConnectionForItsTime) {
    constexpr auto time = 100ms;
    this->begin(time);
    Client client(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    const auto told = std::chrono::steady_clock::now();
    this->tell(Stage::drain);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_GE(std::chrono::steady_clock::now() - told, time);
    client.close();
    this->end();
}

TYPED_TEST(Loop, ClosesIdleConnectionsAtOnceWhereTheRuleIsOff) {
    this->begin(0ms);
    const Client client(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    this->tell(Stage::drain);
    EXPECT_EQ(client.read_to_end(), "");
    this->end();
}

TYPED_TEST(Loop, KeepsItsConnectionsIfADrainIsTakenBack) {
    this->begin(1h);
    const Client client(*this->endpoint);
    EXPECT_EQ(ask(client), "keep");
    this->tell(Stage::drain);
    this->tell(Stage::run);
    EXPECT_EQ(ask(client), "keep");
    const Client next(*this->endpoint);
    EXPECT_EQ(ask(next), "keep");
}

TYPED_TEST(Loop, EndsRequestsAtTheCancel) {
    this->begin(1h);
    Client client(*this->endpoint);
    client.send(endless_request);
    this->tell(Stage::drain);
    this->supervisor.wait_for(has_one_request);
    this->supervisor.tell(Stage::cancel);
    EXPECT_EQ(client.read_to_end(), "");
    client.close();
    this->thread.join();
}

TYPED_TEST(Loop, NoticesAClientThatIsGone) {
    this->begin(1h);
    Client silent(*this->endpoint), asked(*this->endpoint);
    EXPECT_EQ(ask(asked), "keep");
    this->tell(Stage::drain);
    silent.close();
    asked.close();
    this->end();
}

}  // namespace
}  // namespace holdfast::testing
