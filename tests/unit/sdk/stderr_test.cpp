// A reader of stderr that does not read, or is gone, changes nothing but the messages.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <holdfast/worker.hpp>
#include <latch>
#include <string>

#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

// Makes stderr a pipe that is full. Returns its read end.
int fill_stderr() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) std::abort();
    const std::string bytes(4096, 'x');
    while (::write(ends[1], bytes.data(), bytes.size()) > 0) continue;
    while (::write(ends[1], bytes.data(), 1) > 0) continue;
    ::fcntl(ends[1], F_SETFL, 0);
    ::dup2(ends[1], STDERR_FILENO);
    return ends[0];
}

// Ends the process with 2 if the closed pool was not reported as a failure in time.
void close_a_slow_pool() {
    Worker worker({.grace_period = 1h, .cancel_period = 1h});
    std::latch may_close(1);
    worker.resource("pool", [&] { may_close.wait(); }).within(1ms);
    worker.ready();
    Waiter waiter(worker);
    worker.stop();
    // The message about the pool is written now; the worker answers before, during and after it.
    const bool is_answering = eventually([&] {
        const DrainReport report = worker.report();
        return worker.deadline().has_value() && !report.waiting.empty() &&
               report.waiting.front().name == "pool (its close hangs)";
    });
    may_close.count_down();
    std::_Exit(is_answering && waiter.status() == 3 ? 0 : 2);
}

TEST(Stderr, ThatIsFullDoesNotBlockTheWorker) {
    EXPECT_EXIT(
        {
            fill_stderr();
            close_a_slow_pool();
        },
        ::testing::ExitedWithCode(0), "");
}

TEST(Stderr, ThatIsFullDoesNotDelayTheDeadlines) {
    EXPECT_EXIT(
        {
            fill_stderr();
            Worker worker({.grace_period = 10ms, .cancel_period = 10ms});
            const Request request = worker.begin_request("GET /");
            worker.ready();
            worker.stop();
            worker.wait();
        },
        ::testing::ExitedWithCode(3), "");
}

TEST(Stderr, WithoutAReaderDoesNotKillTheWorker) {
    EXPECT_EXIT(
        {
            ::close(fill_stderr());
            ::signal(SIGPIPE, SIG_DFL);
            close_a_slow_pool();
        },
        ::testing::ExitedWithCode(0), "");
}

TEST(Stderr, ThatIsClosedDoesNotMatter) {
    EXPECT_EXIT(
        {
            ::close(STDERR_FILENO);
            close_a_slow_pool();
        },
        ::testing::ExitedWithCode(0), "");
}

TEST(Stderr, IsWrittenAfterTheCancelWasTold) {
    EXPECT_EXIT(
        {
            fill_stderr();
            Worker worker({.grace_period = 10ms, .cancel_period = 1h});
            Request request = worker.begin_request("GET /");
            worker.on_cancel([&] { request.end(); });
            worker.ready();
            worker.stop();
            std::_Exit(worker.wait());
        },
        ::testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace holdfast::testing
