#include "core/describe/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast::core {
namespace {

using testing::HasSubstr;

MachineFacts healthy() {
    MachineFacts facts;
    facts.kernel = "6.1.0";
    facts.has_pidfd = facts.has_close_range = facts.has_peer_pidfd = true;
    facts.somaxconn = 4096;
    facts.migrates_requests = true;
    facts.first_free_port = 1024;
    facts.sees_other_processes = true;
    facts.uid = 1000;
    facts.nofile_soft = 65536;
    facts.nofile_hard = 65536;
    facts.nproc_soft = unlimited;
    facts.capabilities = 0;
    facts.is_in_cgroup_v2 = facts.may_manage_cgroup = facts.counts_oom_kills = true;
    return facts;
}

// Returns the finding whose text contains `word`; fails the test if there is none.
Finding about(const std::string& word, const MachineFacts& facts, const CheckedService& checked = {}) {
    for (const Finding& finding : check_machine(facts, checked)) {
        if (finding.text.find(word) != std::string::npos) return finding;
    }
    ADD_FAILURE() << "nothing about " << word;
    return {};
}

TEST(Doctor, FindsNoProblemOnAHealthyMachine) {
    for (const Finding& finding : check_machine(healthy(), {})) {
        EXPECT_EQ(finding.severity, Severity::ok) << finding.text;
        EXPECT_EQ(finding.remedy, "") << finding.text;
    }
}

TEST(Doctor, HasARemedyForEachProblem) {
    MachineFacts facts;
    facts.somaxconn = 128;
    facts.migrates_requests = false;
    facts.nofile_soft = 10;
    facts.nproc_soft = 3;
    facts.uid = 1000;
    facts.unit = "web.service";
    facts.is_in_kubernetes = true;
    facts.sees_other_processes = false;
    for (const Finding& finding : check_machine(facts, {})) {
        EXPECT_TRUE(finding.severity == Severity::ok || !finding.remedy.empty()) << finding.text;
    }
}

TEST(Doctor, ComparesTheResourceLimitsWithTheNeedsOfARestart) {
    MachineFacts facts = healthy();
    facts.nofile_soft = 64;  // the supervisor raises it to the hard one
    facts.nofile_hard = 64 + 2 * 100 * 8;
    CheckedService checked;
    checked.workers = 100;
    EXPECT_EQ(about("open files", facts, checked).severity, Severity::ok);
    checked.workers = 101;
    const Finding finding = about("open files", facts, checked);
    EXPECT_EQ(finding.severity, Severity::wrong);
    EXPECT_THAT(finding.remedy, HasSubstr("LimitNOFILE=1680"));
    facts.nproc_soft = 200;
    EXPECT_EQ(about("processes and threads", facts, checked).severity, Severity::wrong);
    facts.nproc_soft = 218;
    EXPECT_EQ(about("processes and threads", facts, checked).severity, Severity::ok);
}

TEST(Doctor, WarnsAboutASmallSomaxconn) {
    MachineFacts facts = healthy();
    facts.somaxconn = 128;
    EXPECT_EQ(about("somaxconn", facts).severity, Severity::warning);
    EXPECT_THAT(about("somaxconn", facts).remedy, HasSubstr("net.core.somaxconn=4096"));
    facts.somaxconn = 4096;
    CheckedService checked;
    checked.configuration.listen.emplace_back().backlog = 10000;
    EXPECT_THAT(about("somaxconn", facts, checked).remedy, HasSubstr("net.core.somaxconn=10000"));
}

TEST(Doctor, ComparesTheTimeoutsOfTheUnitWithThePolicy) {
    MachineFacts facts = healthy();
    facts.unit = "web.service";
    facts.unit_kill_mode = "mixed";
    facts.stop_timeout = 20s;
    EXPECT_EQ(about("is killed 20 s after", facts).severity, Severity::wrong);
    EXPECT_THAT(about("is killed 20 s after", facts).remedy, HasSubstr("TimeoutStopSec=45"));
    facts.unit_type = "notify";
    EXPECT_EQ(about("is killed 20 s after", facts).severity, Severity::warning) << "the timeout is extended";
    facts.stop_timeout = 35s;
    EXPECT_EQ(about("waits long enough", facts).severity, Severity::ok);
    facts.stop_timeout.reset();  // the default of systemd, 90 s
    EXPECT_EQ(about("waits long enough", facts).severity, Severity::ok);
    CheckedService checked;
    checked.configuration.policy.ready_timeout = 100s;
    EXPECT_THAT(about("--ready-timeout", facts, checked).remedy, HasSubstr("TimeoutStartSec=130"));
    facts.unit_kill_mode.clear();
    EXPECT_THAT(about("sends its SIGTERM", facts).remedy, HasSubstr("KillMode=mixed"));
}

TEST(Doctor, ReportsMissingCapabilitiesOnlyIfTheyAreNeeded) {
    CheckedService checked;
    ListenAddress& address = checked.configuration.listen.emplace_back();
    address.port = 80;
    EXPECT_EQ(about("CAP_NET_BIND_SERVICE", healthy(), checked).severity, Severity::wrong);
    MachineFacts facts = healthy();
    facts.capabilities = 1U << 10;
    EXPECT_EQ(about("no capability is missing", facts, checked).severity, Severity::ok);
    facts.capabilities = 0;
    facts.first_free_port = 80;
    EXPECT_EQ(about("no capability is missing", facts, checked).severity, Severity::ok);
    checked.configuration.launch.user = "www";
    EXPECT_EQ(about("CAP_SETUID", facts, checked).severity, Severity::wrong);
}

TEST(Doctor, ReportsAKernelThatIsTooOld) {
    MachineFacts facts = healthy();
    facts.has_close_range = false;
    EXPECT_EQ(about("lacks pidfds or close_range", facts).severity, Severity::wrong);
}

}  // namespace
}  // namespace holdfast::core
