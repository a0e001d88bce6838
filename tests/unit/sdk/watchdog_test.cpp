// Which thread sends the watchdog messages, and what they prove.

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <holdfast/worker.hpp>

#include "call_recorder.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

bool is_alive(const Report& report) { return report.watchdog == Watchdog::alive; }

struct Watched : ::testing::Test {
    void SetUp() override { ::setenv("WATCHDOG_USEC", "2000", 1); }
    void TearDown() override { ::unsetenv("WATCHDOG_USEC"); }
    FakeSupervisor supervisor;
};

TEST_F(Watched, WorkerSendsMessagesRepeatedly) {
    const Worker worker;
    for (int beat = 0; beat < 3; ++beat) EXPECT_TRUE(is_alive(supervisor.wait_for(is_alive)));
}

TEST_F(Watched, WorkerSendsMessagesDuringADrain) {
    Worker worker;
    Request request = worker.begin_request("GET /");
    worker.on_drain([] {});
    worker.ready();
    supervisor.send_stage(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    for (int beat = 0; beat < 3; ++beat) EXPECT_TRUE(is_alive(supervisor.wait_for(is_alive)));
    request.end();
    EXPECT_EQ(worker.wait(), 0);
}

// With dispatch, a message proves that the event loop calls dispatch().
TEST_F(Watched, WorkerWhoseEventLoopHangsSendsNothing) {
    Worker worker({.drive = WorkerOptions::Drive::dispatch});
    for (int beat = 0; beat < 3; ++beat) {
        pollfd readable{.fd = worker.fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&readable, 1, -1), 1);  // a message is due
        const auto received = supervisor.received();
        EXPECT_EQ(std::ranges::count_if(received, is_alive), 0);
        worker.dispatch();
        EXPECT_TRUE(is_alive(supervisor.wait_for(is_alive)));
    }
}

TEST_F(Watched, WorkerKeepsTheVariableForTheProgram) {
    const Worker worker;
    EXPECT_STREQ(::getenv("WATCHDOG_USEC"), "2000");
}

TEST(Unwatched, WorkerSendsNoWatchdogMessages) {
    FakeSupervisor supervisor;
    Worker worker({.drive = WorkerOptions::Drive::dispatch});
    worker.ready();
    supervisor.send_stage(Stage::drain);
    EXPECT_EQ(worker.wait(), 0);
    const auto received = supervisor.received();
    EXPECT_FALSE(received.empty());
    EXPECT_EQ(std::ranges::count_if(received, is_alive), 0);
}

}  // namespace
}  // namespace holdfast::testing
