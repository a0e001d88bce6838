// Third-party servers, restarted under the strict client: it is enough that the supervisor holds the socket.

#include <gtest/gtest.h>

#include "harness.hpp"
#include "programs.hpp"

namespace holdfast::test {
namespace {

void restart_twenty_times(const std::string& listen, std::vector<std::string> command,
                          const std::string& ready_when = "auto") {
    RunOptions options;
    options.options = {"--listen", listen, "--workers", "2", "--settle", "200ms", "--ready-when", ready_when};
    options.command = std::move(command);
    SupervisorProcess run(options);
    run.wait_until_serving();
    BackgroundLoad fresh(fresh_load(run.address()));
    restart_under_load(run, fresh, 20);
    expect_flawless(fresh.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().count("worker_killed"), 0U);
}

// gunicorn uses LISTEN_FDS if --bind is not given, and sends READY=1 to NOTIFY_SOCKET.
std::vector<std::string> gunicorn() {
    return {"/usr/bin/gunicorn", "--log-level", "error", "--pythonpath", server_scripts, "wsgi"};
}

TEST(ThirdPartyServers, GunicornLosesNothingOnTcp) { restart_twenty_times("127.0.0.1:0", gunicorn()); }

// The path must exist at every moment, although an exiting gunicorn unlinks it.
TEST(ThirdPartyServers, GunicornLosesNothingOnAUnixSocket) {
    const TemporaryDirectory directory;
    restart_twenty_times("unix:" + directory / "g.sock", gunicorn());
}

TEST(ThirdPartyServers, NodeLosesNothing) {
    restart_twenty_times("127.0.0.1:0", {"/usr/bin/node", std::string(server_scripts) + "/server.js"}, "alive:300ms");
}

TEST(ThirdPartyServers, PythonSocketserverLosesNothing) {
    restart_twenty_times("127.0.0.1:0", python_server("socket_server.py"), "alive:300ms");
}

// Part of this project, but without the SDK: the protocol in C.
TEST(ThirdPartyServers, PlainWorkerLosesNothing) { restart_twenty_times("127.0.0.1:0", {program("plain-worker")}); }

}  // namespace
}  // namespace holdfast::test
