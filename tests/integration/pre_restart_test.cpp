// --pre-restart: a command of the operator runs before anything is launched, and can veto the restart.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

TEST(PreRestart, ThatFailsChangesNothing) {
    const TemporaryDirectory directory;
    const std::string ready = directory / "migrated";
    RunOptions options = quick_service(2, hello_http());
    set_option(options, "--pre-restart", "[ -e " + ready + " ] || { echo migration 42 is missing >&2; exit 3; }");
    SupervisorProcess run(options);
    run.wait_until_serving();
    Clients clients(run.address());
    clients.wait_for_more();
    const std::size_t before = run.log().mark();
    expect_failed(run.command("restart"), {"--pre-restart", "status 3", "its last words:\n  migration 42 is missing"});
    EXPECT_EQ(run.log().count("worker_launching", any_entry(), before), 0U);
    EXPECT_EQ(run.log().count("worker_told", any_entry(), before), 0U);
    clients.wait_for_more();

    directory.write("migrated", "");
    expect_done(run.command("restart"));
    EXPECT_EQ(run.log().await_count(2U, "worker_gone", of_generation(1)), 2U);
    const std::set<std::uint64_t> generations = clients.expect_nothing_lost();
    EXPECT_EQ(generations.size(), 2U);
    expect_clean_stop(run);
}

TEST(PreRestart, ThatIsKilledFailsTheRestart) {
    RunOptions options = quick_service(1, hello_http());
    set_option(options, "--pre-restart", "echo too early >&2; kill -KILL $$");
    SupervisorProcess run(options);
    run.wait_until_serving();
    expect_failed(run.command("restart"), {"--pre-restart", "SIGKILL", "too early"});
    EXPECT_EQ(run.log().await_count(1U, "worker_launching"), 1U);
    expect_clean_stop(run);
}

// A rollback does not run it: a rollback is urgent, and the program has served before.
TEST(PreRestart, IsNotRunBeforeARollback) {
    const TemporaryDirectory directory;
    RunOptions options = quick_service(1, hello_http());
    set_option(options, "--pre-restart", "! [ -e " + (directory / "trouble") + " ]");
    SupervisorProcess run(options);
    run.wait_until_serving();
    expect_done(run.command("restart"));
    directory.write("trouble", "");
    expect_failed(run.command("restart"), {"--pre-restart"});
    expect_done(run.command("rollback"));
    expect_clean_stop(run);
}

}  // namespace
}  // namespace holdfast::test
