#include "os/reaper.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>

#include "launch_support.hpp"
#include "os/process_table.hpp"

namespace holdfast::os {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

// Records the children that it was called for, and answers from a table; unknown children are reaped.
struct Table {
    std::map<pid_t, ReapDecision> decisions;
    std::map<pid_t, ExitStatus> classified;
    int calls = 0;

    Reaper::Classifier classify() {
        return [this](pid_t pid, const ExitStatus& status) {
            ++calls;
            classified[pid] = status;
            const auto known = decisions.find(pid);
            return known == decisions.end() ? ReapDecision::reap : known->second;
        };
    }
};

class ReaperTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(become_subreaper()); }
    void TearDown() override { EXPECT_THAT(children_of(::getpid()).value(), IsEmpty()); }

    Leader ended(const std::string& script) {
        Started worker = start(shell(script));
        read_all(worker.output);
        wait_for_end(worker.leader.process());
        return std::move(worker.leader);
    }

    Reaper reaper_;
    Table table_;
};

TEST_F(ReaperTest, DistinguishesExitCodeAndSignal) {
    Leader code = ended("exit 15");
    Leader signal = ended("kill -15 $$");
    table_.decisions = {{code.pid(), ReapDecision::keep}, {signal.pid(), ReapDecision::keep}};
    reaper_.collect(table_.classify());
    EXPECT_EQ(table_.classified[code.pid()], ExitStatus(ExitedWith{15}));
    EXPECT_EQ(table_.classified[signal.pid()], ExitStatus(KilledBy{15}));
    EXPECT_EQ(*reaper_.reap(code), ExitStatus(ExitedWith{15}));
    EXPECT_EQ(*reaper_.reap(signal), ExitStatus(KilledBy{15}));
    EXPECT_FALSE(code);
    EXPECT_FALSE(reaper_.reap(code)) << "the leader must be empty";
}

TEST_F(ReaperTest, FindsOtherChildrenWhileALeaderIsKept) {
    Leader pinned = ended("exit 1");
    table_.decisions[pinned.pid()] = ReapDecision::keep;
    reaper_.collect(table_.classify());
    const Leader stranger = ended("exit 2");
    Leader other = ended("exit 3");
    table_.decisions[other.pid()] = ReapDecision::keep;
    reaper_.collect(table_.classify());
    EXPECT_THAT(table_.classified, Contains(Key(stranger.pid())));
    EXPECT_THAT(table_.classified, Contains(Key(other.pid())));
    reaper_.collect(table_.classify());
    EXPECT_EQ(table_.calls, 3) << "one call for each child, none for kept ones";
    std::vector<pid_t> left = children_of(::getpid()).value();
    EXPECT_THAT(left, ::testing::UnorderedElementsAre(pinned.pid(), other.pid())) << "the unknown child must be reaped";
    EXPECT_TRUE(reaper_.reap(pinned));
    EXPECT_TRUE(reaper_.reap(other));
}

TEST_F(ReaperTest, DisownReapsAKeptLeader) {
    Leader pinned = ended("exit 1");
    const pid_t pid = pinned.pid();
    table_.decisions[pid] = ReapDecision::keep;
    reaper_.collect(table_.classify());
    reaper_.disown(pinned);
    EXPECT_FALSE(pinned);
    EXPECT_FALSE(process_status(pid).value());
}

TEST_F(ReaperTest, ReapsADisownedLeaderAsAnUnknownChild) {
    Started worker = start(command({"/bin/sleep", "60"}));
    const pid_t pid = worker.leader.pid();
    const Process process = *open_process(pid, process_status(pid).value()->start_time);
    reaper_.disown(worker.leader);
    EXPECT_TRUE(kill_now(process));
    wait_for_end(process);
    reaper_.collect(table_.classify());
    EXPECT_THAT(table_.classified, ElementsAre(Key(pid)));
    EXPECT_FALSE(process_status(pid).value());
}

TEST_F(ReaperTest, ClassifierMayReap) {
    Leader first = ended("exit 4"), second = ended("exit 5");
    const std::map<pid_t, Leader*> leaders{{first.pid(), &first}, {second.pid(), &second}};
    std::vector<ExitStatus> reaped;
    reaper_.collect([&](pid_t pid, const ExitStatus&) {
        reaped.push_back(*reaper_.reap(*leaders.at(pid)));
        return ReapDecision::keep;
    });
    EXPECT_THAT(reaped, ::testing::UnorderedElementsAre(ExitStatus(ExitedWith{4}), ExitStatus(ExitedWith{5})));
}

TEST_F(ReaperTest, ClassifiesADeferredChildAgain) {
    Leader unreported = ended("exit 6");
    const Leader stranger = ended("exit 7");
    table_.decisions[unreported.pid()] = ReapDecision::defer;
    reaper_.collect(table_.classify());
    EXPECT_THAT(children_of(::getpid()).value(), ElementsAre(unreported.pid())) << "the unknown child must be reaped";
    table_.decisions[unreported.pid()] = ReapDecision::keep;
    table_.classified.clear();
    reaper_.collect(table_.classify());
    EXPECT_THAT(table_.classified, ElementsAre(Key(unreported.pid())));
    EXPECT_EQ(*reaper_.reap(unreported), ExitStatus(ExitedWith{6}));
}

TEST_F(ReaperTest, DoesNotReapALiveLeader) {
    Started worker = start(command({"/bin/sleep", "60"}));
    const auto early = reaper_.reap(worker.leader);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, EAGAIN);
    EXPECT_TRUE(worker.leader);
    EXPECT_TRUE(kill_now(worker.leader.process()));
    EXPECT_EQ(wait_and_reap(worker.leader), ExitStatus(KilledBy{SIGKILL}));
}

TEST_F(ReaperTest, ReapsOrphansOfDescendants) {
    // The process in the middle exits at once; the grandchild becomes our child.
    Started worker = start(shell("(setsid sh -c 'echo $$' &); exit 0"));
    const pid_t orphan = std::stoi(read_line(worker.output));
    wait_and_reap(worker.leader);
    siginfo_t info = {};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(orphan), &info, WEXITED | WNOWAIT), 0) << "it must become our child";
    reaper_.collect(table_.classify());
    EXPECT_THAT(table_.classified, ElementsAre(Key(orphan)));
    EXPECT_FALSE(process_status(orphan).value());
}

TEST_F(ReaperTest, WorksIfTheParentIgnoredSigchld) {
    std::signal(SIGCHLD, SIG_IGN);
    reset_sigchld();
    Leader leader = ended("exit 8");
    EXPECT_EQ(*reaper_.reap(leader), ExitStatus(ExitedWith{8}));
}

TEST_F(ReaperTest, CollectsManyAtOnce) {
    std::map<pid_t, Leader> leaders;
    for (int i = 0; i < 40; ++i) {
        Leader leader = ended("exit 9");
        const pid_t pid = leader.pid();
        leaders.emplace(pid, std::move(leader));
    }
    int reaped = 0;
    reaper_.collect([&](pid_t pid, const ExitStatus&) {
        if (reaper_.reap(leaders.at(pid))) ++reaped;
        return ReapDecision::keep;
    });
    EXPECT_EQ(reaped, 40);
}

}  // namespace
}  // namespace holdfast::os
