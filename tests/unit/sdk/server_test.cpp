// The behaviour of the servers of the library in each stage. It is the same for all of them.

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>
#include <holdfast/asio.hpp>
#include <holdfast/blocking.hpp>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include "call_recorder.hpp"
#include "client.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

// A line protocol. "hello" is answered with "keep", or with "close" if the connection is to end. "wait" is answered
// with "waits" and then takes an hour. "throw" throws. "half" is half a request; the other half must follow within
// transfer_period.
template <class Connection>
std::string answer_to(std::string_view line, const Connection& connection) {
    if (line == "throw") throw std::runtime_error("as the test wanted");
    return connection.says_close() ? "close\n" : "keep\n";
}

constexpr std::chrono::milliseconds transfer_period{20};
constexpr std::string_view last_answer = "close\n";

class BlockingKind {
  public:
    BlockingKind(Worker& worker, Listener listener)
        : server_(worker, std::move(listener), [](BlockingConnection& connection) { serve(connection); },
                  {.most_connections = 8, .transfer_period = transfer_period}) {}

  private:
    static void serve(BlockingConnection& connection) {
        std::array<char, 64> bytes;
        while (connection.wait_for_request() == BlockingConnection::Next::request) {
            const std::string_view line(bytes.data(), connection.read_some(bytes));
            if (line == "wait" && !(connection.write_all("waits\n") && connection.wait_for(1h))) return;
            if (line == "half" && connection.read_some(bytes) == 0) return;
            const std::string answer = answer_to(line, connection);
            if (!connection.write_all(answer) || answer == last_answer) return;
        }
    }

    BlockingServer server_;
};

class AsioKind {
  public:
    AsioKind(Worker& worker, Listener listener)
        : server_(worker, std::move(listener), io_.get_executor(),
                  [](AsioConnection& connection) { return serve(connection); }) {}

  private:
    static boost::asio::awaitable<void> serve(AsioConnection& connection) {
        namespace net = boost::asio;
        std::array<char, 64> bytes;
        while (co_await connection.wait_for_request() == AsioConnection::Next::request) {
            const std::size_t size =
                co_await connection.socket().async_read_some(net::buffer(bytes), net::use_awaitable);
            const std::string line(bytes.data(), size);
            connection.expires_after(transfer_period);
            if (line == "half") co_await connection.socket().async_read_some(net::buffer(bytes), net::use_awaitable);
            connection.expires_never();
            if (line == "wait") {
                co_await net::async_write(connection.socket(), net::buffer("waits\n", 6), net::use_awaitable);
                net::steady_timer work(co_await net::this_coro::executor, 1h);
                co_await work.async_wait(net::use_awaitable);
            }
            const std::string answer = answer_to(line, connection);
            co_await net::async_write(connection.socket(), net::buffer(answer), net::use_awaitable);
            if (answer == last_answer) co_return;
        }
    }

    boost::asio::thread_pool io_{2};
    AsioServer server_;
};

template <class Kind>
class Serving : public ::testing::Test {
  protected:
    void begin(std::chrono::milliseconds keep_alive_min) {
        worker.emplace(WorkerOptions{.keep_alive_min = keep_alive_min});
        Listener listener = worker->listen("http", "127.0.0.1:0");
        endpoint.emplace(listener);
        server.emplace(*worker, std::move(listener));
        worker->ready();
        waiter.emplace(*worker);
    }

    std::string ask(const Client& client, std::string_view line = "hello") {
        client.send(line);
        return client.read_line();
    }

    void drain() {
        supervisor.send_stage(Stage::drain);
        supervisor.wait_for(has_stopped_accepting);
    }

    int end() {
        const int status = waiter->status();
        waiter.reset();
        return status;
    }

    void TearDown() override {
        if (!waiter) return;
        supervisor.send_stage(Stage::cancel);
        end();
    }

    FakeSupervisor supervisor;
    std::optional<Worker> worker;
    std::optional<Endpoint> endpoint;
    std::optional<Kind> server;
    std::optional<Waiter> waiter;
};

using Kinds = ::testing::Types<BlockingKind, AsioKind>;
TYPED_TEST_SUITE(Serving, Kinds, );

TYPED_TEST(Serving, KeepsAConnectionForManyRequests) {
    this->begin(1h);
    Client client(*this->endpoint);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(this->ask(client), "keep");
    client.close();
    this->drain();
    EXPECT_EQ(this->end(), 0);
}

TYPED_TEST(Serving, AnswersAnIdleConnectionOnceMoreDuringTheDrain) {
    this->begin(1h);
    Client client(*this->endpoint);
    EXPECT_EQ(this->ask(client), "keep");
    this->drain();
    client.send("hello");
    EXPECT_EQ(client.read_to_end(), "close\n");
    client.close();
    EXPECT_EQ(this->end(), 0);
}

TYPED_TEST(Serving, AnswersTheFirstRequestOfAConnectionDuringTheDrain) {
    this->begin(1h);
    Client client(*this->endpoint);
    this->drain();
    client.send("hello");
    EXPECT_EQ(client.read_to_end(), "close\n");
    client.close();
    EXPECT_EQ(this->end(), 0);
}

TYPED_TEST(Serving, ClosesAnIdleConnectionAfterKeepAliveMin) {
    this->begin(1ms);
    Client client(*this->endpoint);
    EXPECT_EQ(this->ask(client), "keep");
    this->drain();
    EXPECT_EQ(client.read_to_end(), "");
    client.close();
    EXPECT_EQ(this->end(), 0);
}

TYPED_TEST(Serving, ClosesIdleConnectionsImmediatelyIfKeepAliveMinIsZero) {
    this->begin(0ms);
    const Client client(*this->endpoint);
    EXPECT_EQ(this->ask(client), "keep");
    this->drain();
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(this->end(), 0);
}

TYPED_TEST(Serving, KeepsConnectionsDuringAPause) {
    this->begin(1ms);
    const Client client(*this->endpoint);
    EXPECT_EQ(this->ask(client), "keep");
    this->supervisor.send_stage(Stage::pause);
    this->supervisor.wait_for(has_stopped_accepting);
    EXPECT_EQ(this->ask(client), "keep");
    EXPECT_EQ(this->ask(client), "keep");
    this->drain();
    EXPECT_EQ(client.read_to_end(), "");
}

TYPED_TEST(Serving, KeepsItsConnectionsWhenTheDrainIsTakenBack) {
    this->begin(1h);
    const Client client(*this->endpoint);
    EXPECT_EQ(this->ask(client), "keep");
    this->drain();
    this->supervisor.send_stage(Stage::run);
    this->supervisor.wait_for(accepts);
    EXPECT_EQ(this->ask(client), "keep");
    EXPECT_EQ(this->ask(client), "keep");
}

TYPED_TEST(Serving, RestoresTheIdleTimeoutWhenTheDrainIsTakenBack) {
    this->begin(1ms);
    {
        const Session delays_the_drain = this->worker->begin_session("held");
        this->drain();
        this->supervisor.send_stage(Stage::run);
        this->supervisor.wait_for(accepts);
    }
    const Client idle(*this->endpoint), slow(*this->endpoint);
    slow.send("half");
    EXPECT_EQ(slow.read_to_end(), "");  // more than keep_alive_min has passed
    EXPECT_EQ(this->ask(idle), "keep");
}

TYPED_TEST(Serving, ClosesEverythingAtTheCancel) {
    this->begin(1h);
    const Client idle(*this->endpoint), silent(*this->endpoint), busy(*this->endpoint);
    EXPECT_EQ(this->ask(idle), "keep");
    EXPECT_EQ(this->ask(busy, "wait"), "waits");
    this->drain();
    this->supervisor.send_stage(Stage::cancel);
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(silent.read_to_end(), "");
    EXPECT_EQ(busy.read_to_end(), "");
    this->end();
}

// Some are accepted, and their handlers begin, only after the cancel.
TYPED_TEST(Serving, EndsConnectionsThatItAcceptsAtTheCancel) {
    this->begin(1h);
    const std::vector<Client> clients = connect(*this->endpoint, 100);
    this->supervisor.send_stage(Stage::cancel);
    this->end();
    for (const Client& client : clients) EXPECT_EQ(client.read_some(1), "");
}

TYPED_TEST(Serving, EndsEverythingWhenTheServerIsDestroyed) {
    this->begin(1h);
    const Client idle(*this->endpoint), busy(*this->endpoint);
    EXPECT_EQ(this->ask(idle), "keep");
    EXPECT_EQ(this->ask(busy, "wait"), "waits");
    this->server.reset();
    EXPECT_EQ(idle.read_to_end(), "");
    this->drain();
    EXPECT_EQ(this->end(), 0);
}

TYPED_TEST(Serving, ClosesOnlyTheConnectionWhoseHandlerThrew) {
    this->begin(1h);
    const Client good(*this->endpoint), bad(*this->endpoint);
    EXPECT_EQ(this->ask(good), "keep");
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(this->ask(bad, "throw"), "");
    EXPECT_EQ(this->ask(good), "keep");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(),
              "holdfast: closing a connection: its handler threw: as the test wanted\n");
}

TYPED_TEST(Serving, ClosesAConnectionWhoseRequestTimesOut) {
    this->begin(1h);
    const Client slow(*this->endpoint), idle(*this->endpoint);
    EXPECT_EQ(this->ask(idle), "keep");
    slow.send("half");
    EXPECT_EQ(slow.read_to_end(), "");
    EXPECT_EQ(this->ask(idle), "keep");  // after its earlier deadline has passed
}

TYPED_TEST(Serving, LingersForAClientThatIsStillSending) {
    this->begin(1ms);
    const Client client(*this->endpoint);
    EXPECT_EQ(this->ask(client), "keep");
    this->drain();
    EXPECT_EQ(client.read_to_end(), "");
    for (int i = 0; i < 10; ++i) client.send("late");  // not reset
    EXPECT_EQ(client.read_to_end(), "");
}

using Blocking = Serving<BlockingKind>;

TEST_F(Blocking, LeavesConnectionsBeyondItsLimitInTheQueue) {
    begin(1h);
    std::vector<Client> first = connect(*endpoint, 8);
    for (const Client& client : first) EXPECT_EQ(ask(client), "keep");
    const Client next(*endpoint);
    next.send("hello");
    EXPECT_EQ(ask(first.back()), "keep");
    first.pop_back();
    EXPECT_EQ(next.read_line(), "keep");
}

TEST_F(Blocking, LiftsItsLimitToEmptyTheQueueDuringAPause) {
    begin(1h);
    const std::vector<Client> clients = connect(*endpoint, 20);
    supervisor.send_stage(Stage::pause);
    supervisor.wait_for(has_stopped_accepting);
    for (const Client& client : clients) EXPECT_EQ(ask(client), "keep");
}

TEST_F(Blocking, KeepsNoThreadsOfClosedConnections) {
    const auto threads = [] {
        const std::filesystem::directory_iterator tasks("/proc/self/task");
        return std::ranges::distance(tasks);
    };
    begin(1h);
    EXPECT_EQ(ask(Client(*endpoint)), "keep");
    ASSERT_TRUE(eventually([&] { return worker->report().sessions == 0; }));
    const auto before = threads();
    for (int i = 0; i < 50; ++i) EXPECT_EQ(ask(Client(*endpoint)), "keep");
    EXPECT_TRUE(eventually([&] { return threads() <= before; }));
}

}  // namespace
}  // namespace holdfast::testing
