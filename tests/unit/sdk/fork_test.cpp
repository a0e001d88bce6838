#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <holdfast/worker.hpp>
#include <memory>
#include <thread>

#include "fake_supervisor.hpp"
#include "request_registry.hpp"

namespace holdfast::testing {
namespace {

// Runs `function` in a forked child. Returns the exit status, or the negative signal number.
template <class Function>
int in_forked_child(Function function) {
    const pid_t child = ::fork();
    if (child == 0) std::_Exit(function());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(ForkedChild, IsNotAWorker) {
    FakeSupervisor supervisor;
    auto worker = std::make_unique<Worker>();
    Request request = worker->begin_request("GET /");
    const int status = in_forked_child([&] {
        Request mine = worker->begin_request("GET /child");
        mine.end();
        request.end();
        const bool ready_throws = misuse([&] { worker->ready(); }).find("forked child") != std::string::npos;
        const bool wait_throws = misuse([&] { worker->wait(); }).find("forked child") != std::string::npos;
        worker.reset();
        return ready_throws && wait_throws ? 0 : 1;
    });
    EXPECT_EQ(status, 0);
    worker->ready();
    const Report ready = supervisor.wait_for([](const Report& report) { return report.ready; });
    EXPECT_EQ(ready.in_flight, 1U);
}

// Also on a thread of the child, and if the child has a Worker of its own.
TEST(ForkedChild, CountsNothingInTheRegistryOfItsParent) {
    const auto worker = std::make_unique<Worker>();
    const auto registry = std::make_unique<RequestRegistry>([] { std::_Exit(2); });
    RequestRegistry::Slot* mine = registry->begin("GET /");
    RequestRegistry::Slot* other = nullptr;
    std::thread([&] { other = registry->begin("GET /other"); }).join();
    registry->watch(RequestRegistry::Watch::on);
    const auto uses = [&] {
        RequestRegistry::end(mine);
        RequestRegistry::end(other);
        return registry->begin("GET /child") == nullptr && registry->held() == 2 ? 0 : 1;
    };
    EXPECT_EQ(in_forked_child(uses), 0);
    EXPECT_EQ(in_forked_child([&] { return std::async(std::launch::async, uses).get(); }), 0);
    EXPECT_EQ(in_forked_child([&] {
                  Worker own;
                  const Request request = own.begin_request("GET /own");
                  return own.report().requests == 1 ? uses() : 1;
              }),
              0);
    registry->watch(RequestRegistry::Watch::off);
    RequestRegistry::end(mine);
    RequestRegistry::end(other);
    EXPECT_EQ(registry->held(), 0U);
    EXPECT_EQ(registry->served(), 2U);
}

TEST(ForkedChild, IsKilledByASignalThatTheParentDoesNotSee) {
    FakeSupervisor supervisor;
    Worker worker;
    EXPECT_EQ(in_forked_child([] { return ::raise(SIGTERM); }), -SIGTERM);
    worker.ready();
    supervisor.wait_for([](const Report& report) { return report.ready; });
    for (const Report& report : supervisor.received()) EXPECT_FALSE(report.stopping);
    EXPECT_FALSE(worker.draining());
}

TEST(ForkedChild, DoesNotKeepTheControlPipeOpen) {
    FakeSupervisor supervisor;
    const Worker worker;
    EXPECT_EQ(in_forked_child([&] { return ::write(supervisor.worker_fd(), "x", 1) < 0 && errno == EBADF ? 0 : 1; }),
              0);
}

TEST(ForkedChild, MayCreateItsOwnWorker) {
    const Worker worker;
    EXPECT_EQ(in_forked_child([] {
                  Worker own;
                  own.stop();
                  return own.wait();
              }),
              0);
}

}  // namespace
}  // namespace holdfast::testing
