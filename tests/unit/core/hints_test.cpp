#include "core/describe/hints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Hint, NamesForegroundOptionsForAProgramThatDaemonizes) {
    EXPECT_THAT(hint_for_main_exit(ExitedWith{0}, WorkerState::starting),
                AllOf(HasSubstr("put itself into the background"), HasSubstr("daemon off")));
    EXPECT_EQ(hint_for_main_exit(ExitedWith{1}, WorkerState::starting), "");
    EXPECT_EQ(hint_for_main_exit(ExitedWith{0}, WorkerState::ready), "");
    EXPECT_EQ(hint_for_main_exit(holdfast::KilledBy{9}, WorkerState::starting), "");
}

TEST(Hint, NamesTheInheritedDescriptorForAnAddressInUse) {
    for (const char* line :
         {"bind() to 0.0.0.0:8080 failed: Address already in use", "[Errno 98] ADDRESS ALREADY IN USE (8080)",
          "Error: listen EADDRINUSE: address already in use :::8080",
          "listen tcp :8080: bind: address already in use"}) {
        EXPECT_THAT(hint_for_last_words({"starting", line, "bye"}, {":80", "127.0.0.1:8080"}),
                    HasSubstr("tried to bind 127.0.0.1:8080, which it already has as fd 4"))
            << line;
    }
    EXPECT_THAT(hint_for_last_words({"bind: Address already in use: /run/a.sock"}, {"unix:/run/a.sock"}),
                HasSubstr("unix:/run/a.sock, which it already has as fd 3"));
    EXPECT_EQ(hint_for_last_words({}, {":8080"}), "");
    EXPECT_EQ(hint_for_last_words({"cannot bind :8080: Permission denied"}, {":8080"}), "");
}

TEST(Hint, NamesAllInheritedDescriptorsIfTheAddressIsUnknown) {
    EXPECT_THAT(hint_for_last_words({"OSError: [Errno 98] Address already in use"}, {":8080", ":8443"}),
                AllOf(HasSubstr("an address that is in use"), HasSubstr(":8080 is fd 3, :8443 is fd 4")));
    EXPECT_THAT(hint_for_last_words({"18080: Address already in use"}, {":8080"}),
                HasSubstr("an address that is in use"));
}

TEST(Hint, RecognisesAWrongFormatAndAMissingPermission) {
    EXPECT_THAT(hint_for_launch("execute ./srv", ENOEXEC), HasSubstr("architecture"));
    EXPECT_THAT(hint_for_launch("execute ./srv", EACCES), HasSubstr("chmod +x"));
    EXPECT_EQ(hint_for_launch("execute ./srv", ENOENT), "");
    EXPECT_EQ(hint_for_launch("change directory to /x", EACCES), "");
}

TEST(Hint, IsAppendedToAFailedLaunch) {
    CoreHarness harness({});
    harness.feed(SpawnFailed{harness.worker(1, 0), "execute ./srv", EACCES});
    EXPECT_THAT(harness.notes("spawn_failed"),
                ElementsAre(AllOf(HasSubstr("cannot execute ./srv: Permission denied"), HasSubstr("chmod +x"))));
}

TEST(Hint, AboutDaemonizingIsInTheAnswerToAFailedRestart) {
    CoreHarness harness = serving({}, 1);
    const RequestId restart = harness.ask(Restart{});
    const WorkerId daemon = harness.worker(2, 0);
    harness.spawned(daemon);
    harness.feed(MainExited{daemon, ExitedWith{0}, 1, 0});
    harness.exited(daemon);
    ASSERT_TRUE(harness.answer(restart));
    EXPECT_EQ(harness.result(restart), Outcome::Result::failed);
    EXPECT_THAT(harness.answer(restart)->text, HasSubstr("use its foreground option"));
    EXPECT_THAT(harness.notes("worker_main_exited"), ElementsAre(HasSubstr("use its foreground option")));
}

TEST(Hint, AboutAnAddressInUseIsInTheAnswerToAFailedRestart) {
    CoreHarness harness = serving({}, 1);
    const RequestId restart = harness.ask(Restart{});
    const WorkerId binder = harness.worker(2, 0);
    harness.spawned(binder);
    harness.feed(Exited{binder, ExitedWith{1}, {"bind :8080: Address already in use"}, KilledBy::not_known, {":8080"}});
    ASSERT_TRUE(harness.answer(restart));
    EXPECT_THAT(harness.answer(restart)->text,
                AllOf(HasSubstr("worker 2.0 exited with status 1"), HasSubstr(":8080, which it already has as fd 3")));
    EXPECT_THAT(harness.notes("worker_crashed"), ElementsAre(HasSubstr("fd 3")));
}

TEST(LaunchHint, OfMissingDescriptorsNamesTheLimit) {
    EXPECT_THAT(hint_for_launch("pass the listener web", EMFILE), ::testing::HasSubstr("LimitNOFILE="));
    EXPECT_THAT(hint_for_launch("create a pipe", ENFILE), ::testing::HasSubstr("fs.file-max"));
}

}  // namespace
}  // namespace holdfast::core::testing
