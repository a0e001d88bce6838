// Who says that the worker lives, and what it proves.

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cstdlib>
#include <holdfast/worker.hpp>

#include "call_recorder.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

bool says_alive(const Report& report) { return report.watchdog == Watchdog::alive; }

struct Watched : ::testing::Test {
    void SetUp() override { ::setenv("WATCHDOG_USEC", "2000", 1); }
    void TearDown() override { ::unsetenv("WATCHDOG_USEC"); }
    FakeSupervisor supervisor;
};

TEST_F(Watched, WorkerSaysAgainAndAgainThatItLives) {
    const Worker worker;
    for (int beat = 0; beat < 3; ++beat) EXPECT_TRUE(says_alive(supervisor.wait_for(says_alive)));
}

TEST_F(Watched, WorkerSaysSoWhileItDrains) {
    Worker worker;
    Request request = worker.begin_request("GET /");
    worker.ready();
    supervisor.tell(Stage::drain);
    supervisor.wait_for(has_stopped_accepting);
    for (int beat = 0; beat < 3; ++beat) EXPECT_TRUE(says_alive(supervisor.wait_for(says_alive)));
    request.end();
    EXPECT_EQ(worker.wait(), 0);
}

// What proves the loop's life is that it calls dispatch().
TEST_F(Watched, WorkerWhoseLoopHangsSaysNothing) {
    Worker worker({.drive = WorkerOptions::Drive::dispatch});
    for (int beat = 0; beat < 3; ++beat) {
        pollfd readable{.fd = worker.fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&readable, 1, -1), 1);  // it is time
        const auto received = supervisor.received();
        EXPECT_EQ(std::ranges::count_if(received, says_alive), 0);
        worker.dispatch();
        EXPECT_TRUE(says_alive(supervisor.wait_for(says_alive)));
    }
}

TEST_F(Watched, WorkerLeavesTheVariableToTheProgram) {
    const Worker worker;
    EXPECT_STREQ(::getenv("WATCHDOG_USEC"), "2000");
}

TEST(Unwatched, WorkerNeedNotSayThatItLives) {
    FakeSupervisor supervisor;
    Worker worker({.drive = WorkerOptions::Drive::dispatch});
    worker.ready();
    supervisor.tell(Stage::drain);
    EXPECT_EQ(worker.wait(), 0);
    const auto received = supervisor.received();
    EXPECT_FALSE(received.empty());
    EXPECT_EQ(std::ranges::count_if(received, says_alive), 0);
}

}  // namespace
}  // namespace holdfast::testing
