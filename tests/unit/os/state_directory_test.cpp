// The directory for the persistent state of a service.

#include "os/state_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "launch_support.hpp"

namespace holdfast::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

unsigned permissions_of(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0U;
}

Result<StateDirectory> open_at(const std::string& path) {
    const std::vector<std::string> candidates{path};
    return open_state_directory(candidates);
}

TEST(StateCandidates, AreOnlyTheDirectoryOfTheOption) {
    EXPECT_THAT(candidate_state_directories("web", {"/srv/state/", "/a", "/b", "/c", 0}), ElementsAre("/srv/state"));
}

TEST(StateCandidates, BeginWithTheDirectoryOfTheServiceManager) {
    EXPECT_THAT(candidate_state_directories("web", {"", "/a:/b", "", "", 0}),
                ElementsAre("/a", "/var/lib/holdfast/web"));
}

TEST(StateCandidates, OfAUserAreInTheHomeDirectory) {
    EXPECT_THAT(candidate_state_directories("web", {"", "", "/x", "/home/u", 7}), ElementsAre("/x/holdfast/web"));
    EXPECT_THAT(candidate_state_directories("web", {"", "", "", "/home/u", 7}),
                ElementsAre("/home/u/.local/state/holdfast/web"));
    EXPECT_THAT(candidate_state_directories("web", {"", "", "not/absolute", "", 7}), IsEmpty());
}

TEST(StateDirectory, IsCreatedForOurUidOnly) {
    const TemporaryDirectory home;
    const auto state = open_at(home.path() + "/.local/state/holdfast/web");
    ASSERT_TRUE(state) << state.error().text;
    EXPECT_EQ(permissions_of(state->path), 0700U);
    EXPECT_EQ(permissions_of(home.path() + "/.local"), 0700U);
}

TEST(StateDirectory, KeepsItsModeIfItExists) {
    const TemporaryDirectory home;
    std::filesystem::create_directory(home.path() + "/state");
    ASSERT_EQ(::chmod((home.path() + "/state").c_str(), 0755), 0);
    EXPECT_TRUE(open_at(home.path() + "/state"));
    EXPECT_EQ(permissions_of(home.path() + "/state"), 0755U);
}

TEST(StateDirectory, ThatOthersCanWriteToIsRejected) {
    const TemporaryDirectory home;
    ASSERT_EQ(::chmod(home.path().c_str(), 0777), 0);
    const auto state = open_at(home.path());
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().text, HasSubstr("other users can write to it; run chmod go-w on it"));
}

TEST(StateDirectory, ThatIsASymbolicLinkIsRejected) {
    const TemporaryDirectory home;
    std::filesystem::create_directory_symlink(home.path(), home.path() + "/link");
    EXPECT_FALSE(open_at(home.path() + "/link"));
}

TEST(StateDirectory, HasOneOwnerAtATime) {
    const TemporaryDirectory home;
    {
        const auto first = open_at(home.path());
        ASSERT_TRUE(first);
        const auto second = open_at(home.path());
        ASSERT_FALSE(second);
        EXPECT_THAT(second.error().text, HasSubstr("another supervisor has locked it"));
    }
    EXPECT_TRUE(open_at(home.path()));
}

TEST(StateDirectory, IsTheNextCandidateIfTheFirstIsNotUsable) {
    const TemporaryDirectory home;
    home.write("file", "");
    const std::vector<std::string> candidates{home.path() + "/file/state", home.path() + "/state"};
    const auto state = open_state_directory(candidates);
    ASSERT_TRUE(state) << state.error().text;
    EXPECT_EQ(state->path, candidates.back());
}

TEST(StateDirectory, ReportsWhyNoCandidateIsUsable) {
    const TemporaryDirectory home;
    home.write("file", "");
    const auto state = open_at(home.path() + "/file/state");
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().text, HasSubstr("cannot create " + home.path() + "/file/state: Not a directory"));
    EXPECT_EQ(open_state_directory({}).error().text, "no directory is configured; use --state-dir");
}

}  // namespace
}  // namespace holdfast::os
