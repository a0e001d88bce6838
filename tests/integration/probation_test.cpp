// Until the end of the probation the former generation can be brought back: it is paused and has released nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

#include <csignal>

#include "programs.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using testing::AnyOf;
using testing::ElementsAre;

RunOptions with_probation(const std::string& probation, std::vector<std::string> command) {
    RunOptions options = quick_service(2, std::move(command));
    set_option(options, "--probation", probation);
    return options;
}

std::size_t launches_since(SupervisorProcess& run, const LogEntry& moment) {
    return run.log().count("worker_launching", any_entry(), moment.index);
}

// The worker that crashes accepts nothing, so that no request is lost with it.
TEST(Probation, BringsTheFormerWorkersBackIfANewOneCrashes) {
    SupervisorProcess run(
        with_probation("60s", hello_except("2.1", "echo the cache is corrupt >&2; " + protocol_worker(""))));
    run.wait_until_serving();
    const std::vector<pid_t> former = pids_of(run, 1, 2);
    Clients clients(run.address());
    const auto restart = run.start_command("restart");
    const LogEntry began = run.wait_for("probation_started");
    clients.wait_for_more();
    EXPECT_EQ(run.log().count("worker_gone"), 0U);

    ::kill(run.wait_for("worker_ready", of_worker("2.1")).pid, SIGKILL);
    expect_failed(restart->wait(), {"worker 2.1", "SIGKILL", "during probation",
                                    "its last words:\n  the cache is corrupt", "generation 1 serves with 2 workers"});
    EXPECT_EQ(launches_since(run, began), 0U);
    for (const char* worker : {"1.0", "1.1"}) {
        run.wait_for("worker_told", of_worker(worker), began.index);
        EXPECT_EQ(run.log().count("worker_gone", of_worker(worker)), 0U);
    }
    EXPECT_EQ(run.log().await_count(2U, "worker_gone", of_generation(2)), 2U);
    for (const pid_t pid : former) EXPECT_EQ(::kill(pid, 0), 0);
    EXPECT_THAT(clients.expect_nothing_lost(), ElementsAre(1U, 2U));
    BackgroundLoad after(slow_load(run.address(), 10, 0));
    EXPECT_THAT(after.wait_for_end().by_generation, ElementsAre(testing::Key(1U)));
    expect_clean_stop(run);
}

// The former workers accept again and the new ones have exited; no worker was launched for it, and no client noticed.
void expect_former_generation_back(SupervisorProcess& run, const LogEntry& began, Clients& clients) {
    run.wait_for("rollout_done", with_text("generation 1 serves with 2 workers"));
    EXPECT_EQ(launches_since(run, began), 0U);
    for (const char* worker : {"1.0", "1.1"}) run.wait_for("worker_recalled", of_worker(worker), began.index);
    EXPECT_EQ(run.log().count("worker_gone", of_generation(1)), 0U);
    EXPECT_EQ(run.log().count("worker_gone", of_generation(2)), 2U);
    EXPECT_THAT(clients.expect_nothing_lost(), ElementsAre(1U, 2U));
    BackgroundLoad after(slow_load(run.address(), 10, 0));
    EXPECT_THAT(after.wait_for_end().by_generation, ElementsAre(testing::Key(1U)));
}

// A restart under load that has reached its probation without a failure.
struct InProbation {
    explicit InProbation(const RunOptions& options) : run(options) {
        run.wait_until_serving();
        clients.emplace(run.address());
        restart = run.start_command("restart");
        began = run.wait_for("probation_started");
        clients->wait_for_more();
        EXPECT_EQ(run.log().count("worker_crashed"), 0U);
    }

    SupervisorProcess run;
    std::optional<Clients> clients;
    decltype(run.start_command("")) restart;
    LogEntry began;
};

// The worker sends WATCHDOG=1 until it is stopped. It accepts nothing, so that no request is lost with it.
TEST(Probation, BringsTheFormerWorkersBackIfANewOneMissesItsWatchdog) {
    const std::vector<std::string> idle = python_server("heartbeat.py");
    RunOptions options = with_probation(
        "60s", hello_except("2.1", "echo lost the lock of the cache >&2; exec " + idle[0] + " " + idle[1] + " idle"));
    set_option(options, "--watchdog", "1s");
    set_option(options, "--grace-period", "2s");  // for keep-alive clients; then the stopped worker is killed
    set_option(options, "--cancel-period", "300ms");
    InProbation probation(options);

    ::kill(probation.run.wait_for("worker_ready", of_worker("2.1")).pid, SIGSTOP);
    expect_failed(probation.restart->wait(),
                  {"worker 2.1", "it missed its watchdog", "during probation",
                   "its last words:\n  lost the lock of the cache", "generation 1 serves with 2 workers"});
    expect_former_generation_back(probation.run, probation.began, *probation.clients);
    EXPECT_EQ(probation.run.log().count("worker_killed"), 1U);
    EXPECT_EQ(probation.run.stop(), ExitStatus{ExitedWith{0}});
}

// The worker continues to serve its clients; only its private listener reports that it is unhealthy.
TEST(Probation, BringsTheFormerWorkersBackIfANewOneFailsItsProbe) {
    const TemporaryDirectory directory;
    const std::string sick =
        "echo the cache is stale >&2; export HEALTH_STATUS='500 Sick' SICK_WHEN=" + (directory / "sick") + ";";
    RunOptions options = with_probation(
        "60s", shell_worker("case $HOLDFAST_WORKER in 2.1) " + sick + "; esac; exec " + program("all-listeners")));
    set_option(options, "--ready-when", "http:/health");
    InProbation probation(options);

    directory.write("sick", "");
    expect_failed(probation.restart->wait(),
                  {"worker 2.1", "probes in a row", "HTTP 500", "during probation",
                   "its last words:\n  the cache is stale", "generation 1 serves with 2 workers"});
    expect_former_generation_back(probation.run, probation.began, *probation.clients);
    expect_clean_stop(probation.run);
}

TEST(Probation, DrainsTheFormerWorkersAtItsEnd) {
    SupervisorProcess run(with_probation("1s", hello_http()));
    run.wait_until_serving();
    Clients clients(run.address());
    BackgroundLoad slow(
        slow_load(run.address(), 4, 1500));  // longer than the probation: paused workers continue to serve
    slow.wait_for_sent(4);
    const auto restart = run.start_command("restart");
    const LogEntry began = run.wait_for("probation_started");
    EXPECT_EQ(run.log().count("worker_gone"), 0U);
    expect_done(restart->wait());
    const LogEntry passed = run.wait_for("probation_passed");
    EXPECT_GE(passed.mono_usec - began.mono_usec, Duration(1s).count());
    for (const char* worker : {"1.0", "1.1"}) {
        run.wait_for("worker_told", of_worker(worker), passed.index);
        run.wait_for("worker_gone", of_worker(worker), passed.index);
    }
    expect_flawless(slow.wait_for_end());
    EXPECT_THAT(clients.expect_nothing_lost(), ElementsAre(1U, 2U));
    expect_clean_stop(run);
}

TEST(Probation, IsUndoneWithoutALaunch) {
    SupervisorProcess run(with_probation("60s", hello_http()));
    run.wait_until_serving();
    Clients clients(run.address());
    const auto restart = run.start_command("restart");
    const LogEntry began = run.wait_for("probation_started");
    clients.wait_for_more();
    expect_done(run.command("undo"));
    expect_failed(restart->wait(), {"undone by"});
    EXPECT_EQ(launches_since(run, began), 0U);
    EXPECT_EQ(run.log().count("worker_gone", of_generation(1)), 0U);
    EXPECT_EQ(run.log().await_count(2U, "worker_gone", of_generation(2)), 2U);
    clients.expect_nothing_lost();
    expect_clean_stop(run);
}

// Workers without HELLO are not sent stages, so they cannot be paused: both generations accept, and an undo needs no
// launch.
TEST(Probation, LetsBothGenerationsAcceptIfTheWorkersSendNoHello) {
    SupervisorProcess run(with_probation("60s", python_server("socket_server.py")));
    run.wait_until_serving();
    BackgroundLoad fresh(fresh_load(run.address()));
    const auto restart = run.start_command("restart");
    run.wait_for("worker_not_paused", of_worker("1.0"));
    run.wait_for("worker_not_paused", of_worker("1.1"));
    const LogEntry began = run.wait_for("probation_started");
    fresh.wait_for_more(20);
    expect_done(run.command("undo"));
    expect_failed(restart->wait(), {"undone by"});
    EXPECT_EQ(launches_since(run, began), 0U);
    EXPECT_EQ(run.log().count("worker_gone", of_generation(1)), 0U);
    fresh.wait_for_more(20);
    expect_flawless(fresh.stop());
    expect_clean_stop(run);
}

}  // namespace
}  // namespace holdfast::test
