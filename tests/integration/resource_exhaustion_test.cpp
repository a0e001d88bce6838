// Missing descriptors, hung mounts and an unread log must not stop the supervisor.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <list>
#include <optional>
#include <string>

#include "harness.hpp"
#include "hung_mount.hpp"
#include "proc.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

void allow_descriptors(pid_t pid, rlim_t count) {
    rlimit limit{};
    ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), 0);
    limit.rlim_cur = count;
    ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
}

TEST(NoDescriptorsLeft, SpawnsFailAndAreRetriedUntilDescriptorsAreAvailable) {
    RunOptions options = two_hello_workers();
    set_option(options, "--backoff", "200ms..1s");
    SupervisorProcess run(options);
    run.wait_until_serving();
    allow_descriptors(run.pid(), 3);
    ::kill(run.wait_for("worker_spawned", of_worker("1.0")).pid, SIGKILL);
    const LogEntry failed = run.wait_for("spawn_failed", of_worker("1.0"));
    EXPECT_THAT(failed.text, HasSubstr("Too many open files"));
    run.wait_for("backoff");
    BackgroundLoad load(fresh_load(run.address()));  // the other worker continues to serve
    load.wait_for_more(50);
    allow_descriptors(run.pid(), 1000);
    run.wait_for("worker_ready", of_worker("1.0"), failed.index);
    expect_flawless(load.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(NoDescriptorsLeft, TheApiWaitsInsteadOfSpinning) {
    SupervisorProcess run(two_hello_workers());
    run.wait_until_serving();
    BackgroundLoad load(fresh_load(run.address()));
    load.wait_for_more(20);
    allow_descriptors(run.pid(), 3);
    const auto status = run.start_command("status");
    load.wait_for_more(30);  // time for the request to arrive
    const std::uint64_t ticks = cpu_ticks_of(run.pid()), switches = voluntary_switches_of(run.pid());
    EXPECT_THAT(status->wait().output, HasSubstr("did not answer in time"));  // after two seconds
    const std::uint64_t rate = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    EXPECT_LT(cpu_ticks_of(run.pid()) - ticks, rate / 5);
    EXPECT_LT(voluntary_switches_of(run.pid()) - switches, 100U);
    allow_descriptors(run.pid(), 1000);
    const CommandResult again = run.command("restart");
    EXPECT_TRUE(again.succeeded()) << again.output;
    expect_flawless(load.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(NoDescriptorsLeft, TheStartSaysThatTheWorkersWantedDoNotFit) {
    RunOptions options = two_hello_workers();
    set_option(options, "--workers", "40");
    options.wrapper = {"/bin/sh", "-c", "ulimit -n 120 && exec \"$@\"", "sh"};
    SupervisorProcess run(options);
    EXPECT_THAT(run.wait_for("limit_too_low").text, HasSubstr("a restart of 40 workers needs"));
    EXPECT_THAT(run.wait_for("spawn_failed").text, HasSubstr("LimitNOFILE="));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

// A server behind a shell that leaves a process of its own session.
RunOptions server_behind_a_shell() {
    RunOptions options = two_hello_workers();
    set_option(options, "--ready-when", "alive:100ms");
    set_option(options, "--grace-period", "500ms");
    set_option(options, "--cancel-period", "200ms");
    options.command = {"/bin/sh", "-c", "setsid sleep 1000 & exec sleep 1000"};
    return options;
}

TEST(NoDescriptorsLeft, WorkersThatCannotBeSeenAreNotDeclaredGone) {
    SupervisorProcess run(server_behind_a_shell());
    run.wait_until_serving();
    const pid_t leader = run.wait_for("worker_spawned", of_worker("1.0")).pid;
    allow_descriptors(run.pid(), 3);
    ::kill(leader, SIGKILL);
    EXPECT_THAT(run.wait_for("processes_not_seen").text, HasSubstr("Too many open files"));
    EXPECT_THAT(run.wait_for("worker_main_exited", of_worker("1.0")).text,
                HasSubstr("it is not known whether there are more: cannot"));
    allow_descriptors(run.pid(), 1000);
    run.wait_for("processes_seen");
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});  // the destructor finds whatever is left
}

// A client that connects to 127.0.0.1:PORT and sends nothing.
class IdleClient {
  public:
    explicit IdleClient(const std::string& at) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(at.substr(at.rfind(':') + 1))));
        EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    }
    ~IdleClient() { ::close(fd_); }
    IdleClient(const IdleClient&) = delete;
    IdleClient& operator=(const IdleClient&) = delete;

  private:
    const int fd_;
};

// Clients of the health probes hold every descriptor but those of the reserve.
TEST(NoDescriptorsLeft, IdleClientsDoNotHideTheProcessesOfWorkers) {
    RunOptions options = server_behind_a_shell();
    options.options.insert(options.options.end(), {"--admin", "127.0.0.1:0"});
    options.wrapper = {"/bin/sh", "-c", "ulimit -n 40 && exec \"$@\"", "sh"};
    SupervisorProcess run(options);
    const std::string listening = run.wait_for("admin_listening").text;
    run.wait_until_serving();
    const std::string admin = listening.substr(listening.rfind(' ') + 1);
    std::list<IdleClient> idle;
    for (int i = 0; i < 60; ++i) idle.emplace_back(admin);
    ::kill(run.wait_for("worker_spawned", of_worker("1.0")).pid, SIGKILL);
    run.wait_for("worker_main_exited", of_worker("1.0"));
    run.signal(SIGTERM);
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
}

class HungMountTest : public testing::Test {
  protected:
    HungMountTest() {
        std::filesystem::create_directory(directory_ / "mount");
        std::filesystem::create_directory(directory_ / "good");
        hung_mount_.emplace(directory_ / "mount");
    }

    void point_to(const std::string& target) const {
        std::filesystem::remove(directory_ / "link");
        std::filesystem::create_symlink(target, directory_ / "link");
    }

    TemporaryDirectory directory_;
    std::optional<HungMount> hung_mount_;
};

TEST_F(HungMountTest, FailsTheFirstGenerationInTime) {
    RunOptions options = two_hello_workers();
    set_option(options, "--chdir", directory_ / "mount/inside");
    set_option(options, "--ready-timeout", "2s");
    set_option(options, "--grace-period", "500ms");
    set_option(options, "--cancel-period", "200ms");
    options.environment = {"ASAN_OPTIONS=detect_leaks=0"};  // the leak check would wait for the blocked thread
    SupervisorProcess run(options);
    hung_mount_->wait_until_accessed();
    EXPECT_THAT(run.command("status", {"--json"}).output, HasSubstr("\"starting\""));  // the loop is not blocked
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{1}});
}

TEST_F(HungMountTest, FailsARestartWhileTheOldGenerationServes) {
    point_to(directory_ / "good");
    RunOptions options = two_hello_workers();
    set_option(options, "--chdir", directory_ / "link");
    set_option(options, "--ready-timeout", "2s");
    SupervisorProcess run(options);
    run.wait_until_serving();
    point_to(directory_ / "mount/inside");
    BackgroundLoad load(fresh_load(run.address()));
    const auto restart = run.start_command("restart");
    hung_mount_->wait_until_accessed();
    EXPECT_THAT(run.command("status", {"--json"}).output, HasSubstr("\"rolling_out\""));
    const CommandResult result = restart->wait();
    EXPECT_EQ(result.status, ExitStatus{ExitedWith{1}}) << result.output;
    load.wait_for_more(20);
    expect_flawless(load.stop());
    hung_mount_.reset();  // calls on the mount now return an error
    point_to(directory_ / "good");
    const CommandResult again = run.command("restart");
    EXPECT_TRUE(again.succeeded()) << again.output;
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(UnreadLog, BlocksNeitherARestartNorAStop) {
    RunOptions options = two_hello_workers();
    options.command = hello_beside_stubborn("--last-words 1600000", "2.1");
    SupervisorProcess run(options);
    run.wait_until_serving();
    run.log().stop_reading();  // a new worker writes 1.6 MB, and the pipe takes 64 KiB
    const CommandResult restarted = run.command("restart");
    EXPECT_TRUE(restarted.succeeded()) << restarted.output;
    const CommandResult stopped = run.command("stop");
    EXPECT_TRUE(stopped.succeeded()) << stopped.output;
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
}

}  // namespace
}  // namespace holdfast::test
