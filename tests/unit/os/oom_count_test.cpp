// The file from which the kernel's count of OOM kills is read.

#include "os/oom_count.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "launch_support.hpp"

namespace holdfast::os {
namespace {

struct OomFiles : ::testing::Test {
    OomFiles() {
        sources.own_cgroup = files.write("cgroup", "4:memory:/elsewhere\n0::/a.slice/b.service\n");
        sources.cgroups = files.path() + "/fs";
        sources.vmstat = files.write("vmstat", "nr_free_pages 3\noom_kill 7\noom_kill_later 9\n");
        std::filesystem::create_directories(sources.cgroups + "/a.slice/b.service");
    }
    void count(const std::string& folder, int kills) const {
        files.write("fs" + folder + "/memory.events",
                    "low 0\nhigh 0\nmax 4\noom 4\noom_kill " + std::to_string(kills) + "\noom_group_kill 0\n");
    }
    TemporaryDirectory files;
    OomSources sources;
};

TEST_F(OomFiles, OfOurOwnCgroupAreReadFirst) {
    count("/a.slice/b.service", 2);
    count("/a.slice", 5);
    const OomCount kills(sources);
    EXPECT_EQ(kills.read(), 2U);
    count("/a.slice/b.service", 3);
    EXPECT_EQ(kills.read(), 3U);
}

TEST_F(OomFiles, OfTheParentCgroupAreReadIfOursHasNoCounter) {
    count("/a.slice", 5);
    EXPECT_EQ(OomCount(sources).read(), 5U);
}

TEST_F(OomFiles, OfTheMachineAreReadIfNoCgroupHasACounter) { EXPECT_EQ(OomCount(sources).read(), 7U); }

TEST_F(OomFiles, OfTheMachineAreReadWithoutACgroup) {
    sources.own_cgroup = files.path() + "/none";
    EXPECT_EQ(OomCount(sources).read(), 7U);
}

TEST_F(OomFiles, WithoutACounterGiveNoCount) {
    sources.vmstat = files.write("vmstat", "nr_free_pages 3\noom_kill many\n");
    EXPECT_EQ(OomCount(sources).read(), std::nullopt);
}

TEST_F(OomFiles, ThatAreDeletedGiveNoCount) {
    count("/a.slice/b.service", 2);
    const OomCount kills(sources);
    std::filesystem::remove_all(sources.cgroups);
    EXPECT_EQ(kills.read(), std::nullopt);
}

}  // namespace
}  // namespace holdfast::os
