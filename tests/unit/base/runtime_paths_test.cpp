#include "base/runtime_paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

using testing::ElementsAre;

TEST(RuntimeDirectory, ConfiguredDirectoryIsTheOnlyCandidate) {
    EXPECT_THAT(candidate_directories("web", {"/srv/web", "/run/unit", "/run/user/0", 0}), ElementsAre("/srv/web"));
}

TEST(RuntimeDirectory, RootTriesTheServiceManagersThenRunThenTheUsers) {
    EXPECT_THAT(candidate_directories("web", {"", "/run/unit:/run/other", "/run/user/0", 0}),
                ElementsAre("/run/unit", "/run/holdfast/web", "/run/user/0/holdfast/web", "/tmp/holdfast-0/web"));
}

TEST(RuntimeDirectory, OtherUsersHaveNoCandidateInRun) {
    EXPECT_THAT(candidate_directories("web", {"", "", "/run/user/7", 7}),
                ElementsAre("/run/user/7/holdfast/web", "/tmp/holdfast-7/web"));
    EXPECT_THAT(candidate_directories("web", {"", "", "", 7}), ElementsAre("/tmp/holdfast-7/web"));
}

TEST(RuntimeDirectory, ParentsContainTheCandidatesOfEveryService) {
    EXPECT_THAT(service_parent_directories({"", "", "/run/user/7", 7}),
                ElementsAre("/run/user/7/holdfast", "/tmp/holdfast-7"));
}

}  // namespace
}  // namespace holdfast
