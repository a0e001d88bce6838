// A wrapper that closes the inherited listeners: the worker reports that it is ready, but no client can reach it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operations.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

// In one generation the wrapper closes the listeners, as npm does for the scripts that it runs.
RunOptions behind_a_wrapper(const TemporaryDirectory& directory, const std::string& generation) {
    const std::string script = "#!/bin/sh\nif [ $HOLDFAST_GENERATION = " + generation +
                               " ]; then echo npm: started node server.js >&2; exec 3<&-; " + notify("READY=1") +
                               "; exec sleep 1000; fi\nexec " + hello_http().front() + "\n";
    return short_run({directory.write("npm", script, 0755)});
}

TEST(ListenerClaim, ThatIsMissingIsLoggedWithARemedy) {
    const TemporaryDirectory directory;
    SupervisorProcess run(behind_a_wrapper(directory, "1"));
    const LogEntry missing = run.wait_for("listener_not_claimed", of_worker("1.0"));
    EXPECT_EQ(missing.level, "warning");
    EXPECT_THAT(missing.text, HasSubstr("no process of worker 1.0 has " + run.address() +
                                        " open: does `npm` close inherited descriptors? run node directly"));
    run.stop();
}

TEST(ListenerClaim, ThatIsMissingFailsARestart) {
    const TemporaryDirectory directory;
    SupervisorProcess run(behind_a_wrapper(directory, "2"));
    run.wait_until_serving();
    EXPECT_EQ(run.log().count("listener_not_claimed"), 0U);
    Clients clients(run.address());
    clients.wait_for_more();
    expect_failed(run.command("restart"),
                  {"close inherited descriptors?", "its last words:\n  npm: started node server.js",
                   "generation 1 serves with 2 workers"});
    clients.wait_for_more();
    EXPECT_EQ(run.log().count("worker_told", of_generation(1)), 0U);
    EXPECT_EQ(run.log().count("worker_gone", of_generation(1)), 0U);
    EXPECT_THAT(clients.expect_nothing_lost(), testing::ElementsAre(1U));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

}  // namespace
}  // namespace holdfast::test
