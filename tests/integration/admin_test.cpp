// Health probes on --admin: the supervisor answers them whatever its workers do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <csignal>
#include <fstream>

#include "operations.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

std::string admin_address(SupervisorProcess& run) {
    const std::string text = run.wait_for("admin_listening").text;
    return text.substr(text.rfind(' ') + 1);
}

RunOptions with_admin(std::vector<std::string> command) {
    RunOptions options = short_run(std::move(command));
    options.options.insert(options.options.end(), {"--admin", "127.0.0.1:0"});
    return options;
}

TEST(Admin, IsReadyWhileTheServiceServesAndNotReadyFromTheLameDuckStageOn) {
    RunOptions options = with_admin(hello_http());
    options.options.insert(options.options.end(), {"--lame-duck", "1s"});
    SupervisorProcess run(options);
    const std::string admin = admin_address(run);
    run.wait_until_serving();
    EXPECT_EQ(http_get(admin, "/livez").status, "200");
    EXPECT_EQ(http_get(admin, "/readyz").status, "200");
    EXPECT_EQ(http_get(admin, "/healthz").status, "200");
    EXPECT_EQ(http_get(admin, "/v1/status").status, "404");  // health probes only, no API

    run.signal(SIGTERM);
    run.wait_for("stop_started");
    const HttpAnswer ready = http_get(admin, "/readyz");
    EXPECT_EQ(ready.status, "503");
    EXPECT_THAT(ready.body, HasSubstr("stopped"));
    EXPECT_EQ(http_get(admin, "/livez").status, "200");
    expect_served(run.address());  // a lame duck continues to serve
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{0}});
}

TEST(Admin, StaysReadyThroughARestart) {
    SupervisorProcess run(with_admin(hello_http()));
    const std::string admin = admin_address(run);
    run.wait_until_serving();
    LoadOptions probes = fresh_load(admin);
    probes.path = "/readyz";
    probes.rate = 100;
    BackgroundLoad health(probes), load(fresh_load(run.address()));
    restart_under_load(run, load, 2);
    expect_flawless(health.stop());  // anything but 200 is a failure
    expect_flawless(load.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

// One worker too few while the flag exists, then no worker at all.
TEST(Admin, IsNotReadyWithTooFewWorkersOrWithNone) {
    const TemporaryDirectory directory;
    const std::string flag = directory / "away";
    RunOptions options = with_admin(shell_worker("[ -e " + flag + " ] && exit 7; exec " + hello_http().front()));
    options.options.insert(options.options.end(),
                           {"--min-ready", "2", "--backoff", "500ms..500ms", "--queue-for", "200ms"});
    SupervisorProcess run(options);
    const std::string admin = admin_address(run);
    run.wait_until_serving();
    EXPECT_EQ(http_get(admin, "/readyz").status, "200");
    std::ofstream(flag) << "away";
    ::kill(run.wait_for("worker_spawned", of_worker("1.1")).pid, SIGKILL);
    run.wait_for("worker_gone", of_worker("1.1"));
    const HttpAnswer few = http_get(admin, "/readyz");
    EXPECT_EQ(few.status, "503");
    EXPECT_THAT(few.body, HasSubstr("1 of 2 workers is ready"));
    expect_served(run.address());

    ::kill(run.wait_for("worker_spawned", of_worker("1.0")).pid, SIGKILL);
    run.wait_for("doors_closed");
    EXPECT_EQ(http_get(admin, "/readyz").status, "503");
    EXPECT_EQ(http_get(admin, "/livez").status, "200");
    run_command({.program = "/bin/rm", .arguments = {flag}});
    EXPECT_THAT(wait_for_http(admin, "/readyz", "200").body, testing::Not(HasSubstr("crash")));
    expect_served(run.address());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Admin, IsIndependentOfWorkers) {
    SupervisorProcess run(with_admin(hello_http()));
    const std::string admin = admin_address(run);
    run.wait_until_serving();
    for (const char* const worker : {"1.0", "1.1"}) {
        ::kill(run.wait_for("worker_spawned", of_worker(worker)).pid, SIGSTOP);
    }
    EXPECT_EQ(http_get(admin, "/livez").status, "200");
    EXPECT_EQ(http_get(admin, "/healthz").status, "200");  // without --watchdog, stopped workers are not detected
    for (const char* const worker : {"1.0", "1.1"}) {
        ::kill(run.wait_for("worker_spawned", of_worker(worker)).pid, SIGCONT);
    }
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Admin, IsNotReadyWhilePaused) {
    SupervisorProcess run(with_admin(hello_http()));
    const std::string admin = admin_address(run);
    run.wait_until_serving();
    EXPECT_TRUE(run.command("pause").succeeded());
    const HttpAnswer paused = http_get(admin, "/readyz");
    EXPECT_EQ(paused.status, "503");
    EXPECT_THAT(paused.body, HasSubstr("paused"));
    EXPECT_TRUE(run.command("resume").succeeded());
    wait_for_http(admin, "/readyz", "200");
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

}  // namespace
}  // namespace holdfast::test
