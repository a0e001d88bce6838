#include "os/machine.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/unit_file.hpp"

namespace holdfast::os {
namespace {

using namespace std::chrono_literals;

TEST(Machine, FactsMatchTheKernelsReport) {
    const MachineFacts facts = inspect_machine();
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    EXPECT_EQ(facts.nofile_soft, files.rlim_cur == RLIM_INFINITY ? unlimited : files.rlim_cur);
    EXPECT_EQ(facts.nofile_hard, files.rlim_max == RLIM_INFINITY ? unlimited : files.rlim_max);
    EXPECT_EQ(facts.uid, ::geteuid());
    EXPECT_TRUE(facts.has_pidfd);
    EXPECT_TRUE(facts.has_close_range);
    EXPECT_NE(facts.kernel, "");
    EXPECT_EQ(inspect_machine(::getpid()).nofile_soft, facts.nofile_soft);
}

TEST(UnitFile, BelongsToTheInnermostService) {
    EXPECT_EQ(unit_of_cgroup("/system.slice/web.service"), "web.service");
    EXPECT_EQ(unit_of_cgroup("/user.slice/user@1000.service/app.slice/a.service/x"), "a.service");
    EXPECT_EQ(unit_of_cgroup("/user.slice/session-1.scope"), "");
    EXPECT_EQ(unit_of_cgroup(""), "");
}

TEST(UnitFile, ParsesTimeSpans) {
    EXPECT_EQ(parse_time_span("90"), 90s);
    EXPECT_EQ(parse_time_span(" 1min 30s "), 90s);
    EXPECT_EQ(parse_time_span("5m"), 5min);
    EXPECT_EQ(parse_time_span("200ms"), 200ms);
    EXPECT_EQ(parse_time_span("infinity"), Duration::max());
    EXPECT_EQ(parse_time_span("soon"), std::nullopt);
    EXPECT_EQ(parse_time_span("99999999999999999999"), std::nullopt);
    EXPECT_EQ(parse_time_span(""), std::nullopt);
}

TEST(UnitFile, IsReadInItsServiceSectionAndLaterSettingsWin) {
    MachineFacts facts;
    read_unit_file("[Unit]\nType=x\n[Service]\nType = notify\n# TimeoutStopSec=1\nTimeoutSec=30\nKillMode=mixed\n",
                   facts);
    EXPECT_EQ(facts.unit_type, "notify");
    EXPECT_EQ(facts.unit_kill_mode, "mixed");
    EXPECT_EQ(facts.stop_timeout, 30s);
    EXPECT_EQ(facts.start_timeout, 30s);
    read_unit_file("[Service]\nTimeoutStopSec=0\n", facts);
    EXPECT_EQ(facts.stop_timeout, Duration::max());
    EXPECT_EQ(facts.start_timeout, 30s);
}

}  // namespace
}  // namespace holdfast::os
