// Readiness probes: on a private listener, where only this worker can answer, or at an address that it binds itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operations.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

RunOptions with_private_probe(std::vector<std::string> command) {
    RunOptions options = short_run(std::move(command));
    options.options.insert(options.options.end(), {"--ready-when", "http:/health", "--ready-timeout", "2s"});
    return options;
}

std::vector<std::string> sick_generation(const std::string& generation) {
    return shell_worker("echo names: $LISTEN_FDNAMES; if [ $HOLDFAST_GENERATION = " + generation +
                        " ]; then echo the schema is too old >&2; export HEALTH_STATUS='500 Sick'; fi; exec " +
                        all_listeners().front());
}

// The old generation answers 200 at every address that they share.
TEST(PrivateProbe, FailsARestartAlthoughTheOldGenerationAnswers) {
    SupervisorProcess run(with_private_probe(sick_generation("2")));
    run.wait_until_serving();
    EXPECT_THAT(run.worker_output(), testing::ContainsRegex("names: .*:probe\n"));
    Clients clients(run.address());
    clients.wait_for_more();
    expect_failed(run.command("restart"),
                  {"did not get ready within 2.0 s", "the last probe said HTTP 500",
                   "its last words:\n  the schema is too old", "generation 1 serves with 2 workers"});
    EXPECT_EQ(run.log().count("worker_told", of_generation(1)), 0U);
    clients.wait_for_more();
    expect_done(run.command("restart"));  // generation 3 is healthy
    EXPECT_THAT(clients.expect_nothing_lost(), testing::Contains(3U));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(PrivateProbe, AppliesToTheFirstGenerationToo) {
    SupervisorProcess run(with_private_probe(sick_generation("1")));
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{1}});
    EXPECT_THAT(run.log().text(), HasSubstr("the last probe said HTTP 500"));
    EXPECT_EQ(run.log().count("worker_ready"), 0U);
}

class AddressProbe : public testing::TestWithParam<const char*> {};

TEST_P(AddressProbe, MakesAWorkerReadyOnceItAnswersAtItsOwnAddress) {
    const std::string port = free_port();
    const TemporaryDirectory directory;
    const std::string flag = directory / "go";
    RunOptions options;
    options.options = {
        "--ready-when",
        std::string(GetParam()) + "127.0.0.1:" + port + (std::string(GetParam()) == "http:" ? "/health" : ""),
        "--settle", "100ms"};
    // It binds the port after a line was written to the fifo.
    options.command =
        shell_worker("mkfifo " + flag + "; echo waiting >&2; read line < " + flag + "; exec " +
                     python_server("own_port.py")[0] + " " + python_server("own_port.py")[1] + " " + port);
    SupervisorProcess run(options);
    run.wait_for("", with_text("waiting"));
    EXPECT_THAT(wait_for_status(run, "connection refused"), HasSubstr("starting"));
    EXPECT_EQ(run.log().count("worker_ready"), 0U);
    run_command({.program = "/bin/sh", .arguments = {"-c", "echo go > " + flag}});
    run.wait_until_serving();
    expect_served("127.0.0.1:" + port);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

INSTANTIATE_TEST_SUITE_P(Of, AddressProbe, testing::Values("tcp:", "http:"),
                         [](const auto& instance) { return std::string(instance.param) == "tcp:" ? "Tcp" : "Http"; });

// An answer there proves nothing: any worker may have given it, or none.
TEST(AddressProbe, OfAnAddressOfTheSupervisorIsRejected) {
    RunOptions options = short_run(all_listeners());
    set_option(options, "--listen", "127.0.0.1:" + free_port());
    const std::string address = options.options[1];
    options.options.insert(options.options.end(), {"--ready-when", "tcp:" + address});
    SupervisorProcess run(options);
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{2}});
    EXPECT_THAT(run.log().text(), HasSubstr("ready-when"));
}

}  // namespace
}  // namespace holdfast::test
