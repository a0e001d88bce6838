// A worker that uses more memory than its limit: the log says that the kernel killed it, and distinguishes this from
// another SIGKILL.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "memory_cgroup.hpp"
#include "operations.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t max_bytes = 768U << 20;  // the supervisor and the workers need less, even with sanitizers
constexpr auto by_the_kernel = "was killed by the kernel: out of memory (SIGKILL)";

class OutOfMemory : public testing::Test {
  protected:
    void SetUp() override {
        cgroup_ = MemoryCgroup::make(max_bytes);
        if (!cgroup_) GTEST_SKIP() << "cannot create a cgroup with a memory limit on this machine";
    }

    // A shell command that uses more memory than all other processes together, until it exceeds the limit.
    static std::string memory_hog() {
        return "echo loading the index >&2; "
               "exec /usr/bin/python3 -c 'eaten = []\nwhile True: eaten.append(b\"x\" * (1 << 22))'";
    }

    void serve(const std::string& which, const std::string& script) {
        RunOptions options = quick_service(2, hello_except(which, script));
        options.wrapper = cgroup_->wrapper();
        run_ = std::make_unique<SupervisorProcess>(options);
        run_->wait_until_serving();
        clients_ = std::make_unique<Clients>(run_->address());
        clients_->wait_for_more();
    }

    std::unique_ptr<MemoryCgroup> cgroup_;
    std::unique_ptr<SupervisorProcess> run_;
    std::unique_ptr<Clients> clients_;
};

// The worker accepts nothing, so that no request is lost with it; its replacement serves.
TEST_F(OutOfMemory, IsTheCauseOfAWorkerThatTheKernelKilled) {
    const TemporaryDirectory directory;
    Gate gate;
    serve("1.1", "if [ ! -e " + (directory / "eaten") + " ]; then : > " + (directory / "eaten") + "; " +
                     notify("READY=1") + "; " + gate.wait_command() + "; " + memory_hog() + "; fi");
    gate.open();
    const LogEntry crashed = run_->wait_for("worker_crashed", of_worker("1.1"));
    EXPECT_THAT(crashed.text, HasSubstr(by_the_kernel));
    EXPECT_THAT(crashed.text, HasSubstr("loading the index"));
    const LogEntry back = run_->wait_for("worker_ready", of_worker("1.1"), crashed.index);
    EXPECT_THAT(run_->command("history", {"--json"}).output, HasSubstr(by_the_kernel));
    clients_->expect_nothing_lost();

    // A SIGKILL from another process is not an out-of-memory kill.
    ::kill(back.pid, SIGKILL);
    const LogEntry killed = run_->wait_for("worker_crashed", of_worker("1.1"), back.index);
    EXPECT_THAT(killed.text, HasSubstr("was killed by signal 9 (SIGKILL)"));
    EXPECT_THAT(killed.text, Not(HasSubstr("out of memory")));
    run_->wait_for("worker_ready", of_worker("1.1"), killed.index);
    expect_clean_stop(*run_);
}

TEST_F(OutOfMemory, IsTheReasonOfAFailedRestart) {
    serve("2.1", memory_hog());
    expect_failed(run_->command("restart"), {"worker 2.1", by_the_kernel, "its last words:\n  loading the index",
                                             "generation 1 serves with 2 workers"});
    EXPECT_EQ(run_->log().count("worker_told", of_generation(1)), 0U);
    clients_->expect_nothing_lost();
    expect_clean_stop(*run_);
}

}  // namespace
}  // namespace holdfast::test
