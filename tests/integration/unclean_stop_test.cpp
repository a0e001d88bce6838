// What prevents a worker from ending is named: in the status while the worker drains, and in the log at its deadline.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <ostream>
#include <stdexcept>

#include "harness.hpp"
#include "programs.hpp"

namespace holdfast::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

RunOptions unclean_worker(std::vector<std::string> modes) {
    RunOptions options;
    options.options = {"--listen",       "127.0.0.1:0", "--settle",        "100ms",
                       "--grace-period", "100s",        "--cancel-period", "500ms"};
    options.command = {program("unclean")};
    options.command.insert(options.command.end(), modes.begin(), modes.end());
    return options;
}

// Repeats `holdfast status` until its output contains `part`: a worker reports once a second.
void wait_for_status(SupervisorProcess& run, const std::string& part, const std::vector<std::string>& arguments = {}) {
    const auto end = std::chrono::steady_clock::now() + test_timeout;
    std::string shown;
    while (std::chrono::steady_clock::now() < end) {
        shown = run.command("status", arguments).output;
        if (shown.find(part) != shown.npos) return;
    }
    throw std::runtime_error("the status never contained \"" + part + "\"; the last one:\n" + shown);
}

// Ends the grace period with a second SIGTERM; until then there is time to check the status.
void end_grace(SupervisorProcess& run, const LogEntry& stop_started) {
    wait_until_monotonic(stop_started.mono_usec + 1'050'000);
    run.signal(SIGTERM);
}

struct UncleanCase {
    std::string name;  // of the test
    std::vector<std::string> modes;
    std::string in_status;  // the beginning; the age follows
    std::string in_json;
    std::string in_log;
};

std::vector<UncleanCase> unclean_cases() {
    return {
        {"StuckRequest",
         {"stuck-request"},
         "waits for request GET /stuck (",
         R"("waiting":[{"kind":"request","name":"GET /stuck",)",
         "it still held request GET /stuck for "},
        {"LeakedRequest",
         {"leaked-request"},
         "waits for request GET /leaked (",
         R"({"kind":"request","name":"GET /leaked",)",
         "it still held request GET /leaked for "},
        {"TaskThatDoesNotStop",
         {"deaf-task"},
         "waits for task deaf (",
         R"({"kind":"task","name":"deaf",)",
         "it still held task deaf for "},
        {"OverdueSession",
         {"overdue-session"},
         "waits for session GET /stream (overdue) (",
         R"~({"kind":"session","name":"GET /stream (overdue)",)~",
         "it still held session GET /stream (overdue) for "},
        {"CrowdOfSessions",
         {"crowd"},
         "waits for 64 sessions, the oldest: GET /chat/1 (",
         R"("held":[{"kind":"session","count":64}])",
         "it still held 64 sessions, the oldest: GET /chat/1 "},
        {"HangingClose",
         {"hanging-close"},
         "waits for resource db-pool (its close hangs) (",
         R"~({"kind":"resource","name":"db-pool (its close hangs)",)~",
         "it still held resource db-pool (its close hangs) for "},
        {"ThrowingCloseAndATaskThatDoesNotStop",
         {"throwing-close", "deaf-task"},
         "resource db-pool (its close threw) (",
         R"~({"kind":"resource","name":"db-pool (its close threw)",)~",
         "task deaf for "},
        {"SeveralAtOnce",
         {"stuck-request", "crowd", "deaf-task", "held-work"},
         "waits for request GET /stuck (",
         R"("held":[{"kind":"request","count":1},{"kind":"session","count":64},{"kind":"task","count":1},)",
         "; 64 sessions, the oldest: GET /chat/1 for "},
        {"BlockedDestructor",
         {"blocked-destructor"},
         "released everything ",
         R"("waiting":[],"held":[],"handed_back":null,"lost":null,"not_seen":"","drained_s":)",
         " that it had released everything, and did not exit: look for static destructors or atexit handlers "
         "that block, and for threads that are not joined"},
    };
}

void PrintTo(const UncleanCase& unclean, std::ostream* out) { *out << unclean.name; }

class UncleanStop : public testing::TestWithParam<UncleanCase> {};

TEST_P(UncleanStop, IsExplainedDuringTheDrainAndAtTheDeadline) {
    const UncleanCase& unclean = GetParam();
    SupervisorProcess run(unclean_worker(unclean.modes));
    run.wait_until_serving();
    run.signal(SIGTERM);
    const LogEntry stopped = run.wait_for("stop_started");
    wait_for_status(run, unclean.in_status);
    wait_for_status(run, unclean.in_json, {"--json"});
    end_grace(run, stopped);
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{3}});
    EXPECT_THAT(run.wait_for("worker_held", with_text("when it was cancelled: ")).text, HasSubstr(unclean.in_log));
    const LogEntry killed = run.wait_for("worker_killed");
    EXPECT_THAT(run.wait_for("worker_held", any_entry(), killed.index).text, HasSubstr(unclean.in_log));
}

INSTANTIATE_TEST_SUITE_P(Unclean, UncleanStop, testing::ValuesIn(unclean_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST(Unclean, HeldWorkIsHandedBackAtTheCancelAndCounted) {
    SupervisorProcess run(unclean_worker({"held-work"}));
    run.wait_until_serving();
    run.signal(SIGTERM);
    const LogEntry stopped = run.wait_for("stop_started");
    wait_for_status(run, "waits for 3 items of work: order 1 (");
    wait_for_status(run, R"("held":[{"kind":"work","count":3}])", {"--json"});
    end_grace(run, stopped);
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{3}});
    EXPECT_THAT(run.wait_for("worker_held").text, HasSubstr("it still held 3 items of work: order 1 for "));
    const std::string gone = run.wait_for("worker_gone").text;
    EXPECT_THAT(gone, HasSubstr("exited with status 3"));
    EXPECT_THAT(gone, HasSubstr("; handed back 3 items of work"));
    EXPECT_EQ(run.log().count("worker_killed"), 0U);
}

TEST(Unclean, ACloseThatThrowsIsNamedAlthoughTheWorkerEndsInTime) {
    SupervisorProcess run(unclean_worker({"throwing-close"}));
    run.wait_until_serving();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});  // the worker was not cancelled or killed
    const LogEntry gone = run.wait_for("worker_gone");
    EXPECT_EQ(gone.level, "warning");
    EXPECT_THAT(gone.text, HasSubstr("exited with status 3"));
    EXPECT_THAT(gone.text, HasSubstr("it still held resource db-pool (its close threw)"));
    EXPECT_THAT(gone.text, ContainsRegex("its last words: .*db-pool.*the server closed the connection"));
    EXPECT_EQ(run.log().count("worker_held"), 0U);
}

TEST(Unclean, ACycleOfResourcesIsNamedWhenTheStartFails) {
    RunOptions options = unclean_worker({"cycle"});
    set_option(options, "--ready-timeout", "2s");
    SupervisorProcess run(options);
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{1}});
    EXPECT_THAT(run.wait_for("worker_crashed").text,
                ContainsRegex("exited with status 1 .*unclean: .*cache.*cycle.*db-pool uses cache uses db-pool"));
}

TEST(Unclean, ACycleOfResourcesIsNamedWhenARestartFails) {
    RunOptions options = unclean_worker({});
    options.command = shell_worker("mode=clean; if [ $HOLDFAST_GENERATION = 2 ]; then mode=cycle; fi; exec " +
                                   program("unclean") + " $mode");
    SupervisorProcess run(options);
    run.wait_until_serving();
    const CommandResult restarted = run.command("restart");
    EXPECT_EQ(restarted.status, ExitStatus{ExitedWith{1}});
    EXPECT_THAT(restarted.output, ContainsRegex("cycle.*db-pool uses cache uses db-pool"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Unclean, TheSameWorkerWithoutAFaultEndsCleanly) {
    SupervisorProcess run(unclean_worker({"clean"}));
    run.wait_until_serving();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_EQ(run.log().count("worker_held"), 0U);
    EXPECT_THAT(run.wait_for("worker_gone").text, Not(HasSubstr("last words")));
}

RunOptions queue_worker(const std::string& mode, const std::string& max_extension) {
    RunOptions options = unclean_worker({mode});
    set_option(options, "--grace-period", "3s");
    set_option(options, "--max-extension", max_extension);
    return options;
}

TEST(Extension, IsGrantedWhileRequestsFinish) {
    SupervisorProcess run(queue_worker("slow-queue", "60s"));  // it takes 5 s
    run.wait_until_serving();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    const LogEntry told = run.wait_for("worker_told");
    const LogEntry extended = run.wait_for("worker_extended", any_entry(), told.index);
    EXPECT_THAT(extended.text, HasSubstr("asked for more time: this stage ends in "));
    run.wait_for("worker_told", with_text("told to drain"), extended.index);
    EXPECT_EQ(run.log().count("worker_held"), 0U);
}

TEST(Extension, EndsAtMaxExtensionEvenIfRequestsStillFinish) {
    SupervisorProcess run(queue_worker("endless-queue", "2s"));
    run.wait_until_serving();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{3}});
    const LogEntry told = run.wait_for("worker_told");
    run.wait_for("worker_extended", with_text("2.0 s of 2.0 s granted in all"));
    const LogEntry cancelled = run.wait_for("worker_held", with_text("when it was cancelled: "));
    EXPECT_THAT(cancelled.text, HasSubstr("it still held 10 requests, the oldest: POST /queue for "));
    EXPECT_GE(cancelled.mono_usec - told.mono_usec, 5'000'000);
    EXPECT_EQ(run.log().count("worker_extended", any_entry(), cancelled.index), 0U);
}

TEST(Extension, IsNotGrantedUnlessAllowed) {
    SupervisorProcess run(queue_worker("endless-queue", "0s"));
    run.wait_until_serving();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{3}});
    EXPECT_EQ(run.log().count("worker_extended"), 0U);
    run.wait_for("worker_killed");
}

TEST(Extension, IsNotRequestedIfNoRequestFinishes) {
    RunOptions options = queue_worker("stuck-request", "60s");
    SupervisorProcess run(options);
    run.wait_until_serving();
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{3}});
    EXPECT_EQ(run.log().count("worker_extended"), 0U);
}

}  // namespace
}  // namespace holdfast::test
