#include "os/process_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <future>
#include <thread>

#include "launch_support.hpp"
#include "os/descriptor_reserve.hpp"
#include "os/reaper.hpp"

namespace holdfast::os {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<pid_t> pids(const std::vector<ProcessStatus>& processes) {
    std::vector<pid_t> result;
    for (const ProcessStatus& process : processes) result.push_back(process.pid);
    std::sort(result.begin(), result.end());
    return result;
}

// A supervisor with one worker, in some tests with a second one. The tests wait for SIGCHLD.
class ProcessTreeTest : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(become_subreaper()); }

    void TearDown() override {
        if (worker_.leader) {
            kill_tree_now(query(), seen_);
            reap_all();
        }
        EXPECT_THAT(children_of(::getpid()).value(), IsEmpty());
    }

    TreeQuery query() {
        return {worker_.leader, markers_, [this](pid_t pid) { return pid == worker_.leader.pid(); }};
    }

    void start_worker(const std::string& script, const UniqueFd& inherited = {}) {
        LaunchPlan plan;
        plan.environment = markers_;
        if (inherited) plan.inherited_fds = {inherited.get()};
        worker_ = start(shell(script), plan);
    }

    pid_t next_pid() { return std::stoi(read_line(worker_.output)); }

    // Waits until all processes have ended, then reaps them, the leader last. A process that ends may leave more
    // orphans.
    void reap_all() {
        wait_for_end(worker_.leader.process());
        for (auto children = children_of(::getpid()).value(); children.size() > 1;
             children = children_of(::getpid()).value()) {
            for (const pid_t child : children) {
                const auto status = process_status(child).value();
                if (const auto process = open_process(child, status ? status->start_time : 0)) wait_for_end(*process);
            }
            reaper_.collect([this](pid_t pid, const ExitStatus&) {
                return pid == worker_.leader.pid() ? ReapDecision::keep : ReapDecision::reap;
            });
        }
        EXPECT_TRUE(reaper_.reap(worker_.leader));
    }

    std::vector<std::string> markers_{"HOLDFAST_WORKER=1.0", "HOLDFAST_CONTROL_INODE=4711"};
    Started worker_;
    SeenProcesses seen_;
    Reaper reaper_;
};

// The shell prints its own pid after those of its children, so that they exist by then.
constexpr auto three_levels = "sleep 60 & echo $!; setsid sh -c 'echo $$; sleep 60 & echo $!; wait' & wait";

TEST_F(ProcessTreeTest, ContainsTheGroupAndTheDescendantsThatLeftIt) {
    start_worker(three_levels);
    std::vector<pid_t> written{next_pid(), next_pid(), next_pid()};
    const ProcessTree tree = scan_tree(query(), seen_);
    EXPECT_EQ(tree.group.size(), 2U);  // the shell and its child in the group
    EXPECT_THAT(pids(tree.group), Contains(worker_.leader.pid()));
    EXPECT_EQ(tree.strays.size(), 2U);  // the session leader and its child
    std::sort(written.begin(), written.end());
    std::vector<pid_t> found = pids(tree.group);
    const std::vector<pid_t> strays = pids(tree.strays);
    found.insert(found.end(), strays.begin(), strays.end());
    std::erase(found, worker_.leader.pid());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, written);
}

TEST_F(ProcessTreeTest, OutlivesItsLeader) {
    start_worker("sleep 60 & echo $!; setsid sh -c 'echo $$; exec sleep 60' & exit 3");
    const pid_t plain = next_pid();
    const pid_t stray = next_pid();
    wait_for_end(worker_.leader.process());
    const ProcessTree tree = scan_tree(query(), seen_);
    EXPECT_THAT(pids(tree.group), ElementsAre(plain)) << "a dead leader is not a member";
    EXPECT_THAT(pids(tree.strays), ElementsAre(stray)) << "must be recognised by its environment";
    EXPECT_TRUE(signal_group(worker_.leader, 0)) << "the unreaped leader must pin the group";
    EXPECT_THAT(signal_strays(tree.strays, SIGTERM), IsEmpty());
    EXPECT_TRUE(signal_group(worker_.leader, SIGTERM));
    reap_all();
    EXPECT_THAT(signal_strays(tree.strays, SIGTERM), IsEmpty()) << "one that has ended was not missed";
    EXPECT_FALSE(signal_group(worker_.leader, SIGTERM)) << "nothing may be signalled after it was reaped";
    EXPECT_TRUE(scan_tree(query(), seen_).empty());
}

TEST_F(ProcessTreeTest, OutlivesItsLeaderIfAnotherThreadLaunchedIt) {
    std::promise<void> launched;
    std::promise<void> seen;
    std::thread launcher([&] {
        start_worker("sleep 60 & echo $!; setsid sh -c 'echo $$; exec sleep 60' & exit 3");
        launched.set_value();
        seen.get_future().wait();  // when a thread ends, its children move to the first thread
    });
    launched.get_future().wait();
    const pid_t plain = next_pid();
    const pid_t stray = next_pid();
    wait_for_end(worker_.leader.process());
    EXPECT_THAT(children_of_first_thread(::getpid()).value(), Not(Contains(worker_.leader.pid())));
    const ProcessTree tree = scan_tree(query(), seen_);
    EXPECT_THAT(pids(tree.group), ElementsAre(plain));
    EXPECT_THAT(pids(tree.strays), ElementsAre(stray));
    seen.set_value();
    launcher.join();
}

TEST_F(ProcessTreeTest, RecognisesAnOrphanWithoutEnvironmentFromEarlierScans) {
    start_worker("setsid env -i sh -c 'echo $$; sleep 60' & wait");
    const pid_t orphan = next_pid();
    // Neither its group nor its environment identifies the process; only its parent does, while it is alive.
    EXPECT_THAT(pids(scan_tree(query(), seen_).strays), Contains(orphan));
    EXPECT_TRUE(kill_now(worker_.leader.process()));
    wait_for_end(worker_.leader.process());
    EXPECT_THAT(pids(scan_tree(query(), seen_).strays), Contains(orphan));
    SeenProcesses nothing_seen;
    EXPECT_THAT(pids(scan_tree(query(), nothing_seen).strays), ::testing::Not(Contains(orphan)))
        << "the test needs an orphan without other marks";
}

TEST_F(ProcessTreeTest, RecognisesAnOrphanThatLeftItsGroupAfterTheLastScan) {
    PipeEnds go = make_pipe();
    start_worker("env -i sh -c 'echo $$; read go <&3; exec setsid sh -c \"echo in; exec sleep 60\"' & wait", go.read);
    const pid_t member = next_pid();
    EXPECT_THAT(pids(scan_tree(query(), seen_).group), Contains(member));
    EXPECT_TRUE(kill_now(worker_.leader.process()));
    wait_for_end(worker_.leader.process());
    ASSERT_EQ(::write(go.write.get(), "\n", 1), 1);
    EXPECT_EQ(read_line(worker_.output), "in");
    EXPECT_THAT(pids(scan_tree(query(), seen_).strays), ElementsAre(member));
}

TEST_F(ProcessTreeTest, RecognisesTheOrphanOfAStrayByItsSession) {
    PipeEnds go = make_pipe();
    start_worker("setsid env -i sh -c 'echo $$; read go <&3; sleep 60 & echo $!' & wait", go.read);
    const pid_t stray = next_pid();
    EXPECT_THAT(pids(scan_tree(query(), seen_).strays), ElementsAre(stray));
    EXPECT_TRUE(kill_now(worker_.leader.process()));
    wait_for_end(worker_.leader.process());
    ASSERT_EQ(::write(go.write.get(), "\n", 1), 1);
    const pid_t orphan = next_pid();
    if (const auto alive = process_status(stray).value()) {
        if (const auto process = open_process(stray, alive->start_time)) wait_for_end(*process);
    }
    EXPECT_THAT(pids(scan_tree(query(), seen_).strays), ElementsAre(orphan));
}

TEST_F(ProcessTreeTest, DoesNotContainUnrelatedProcesses) {
    start_worker("sleep 60 & echo $!; wait");
    next_pid();
    Started other = start(shell("setsid sh -c 'echo $$; exec sleep 60' & exit 0"));
    const pid_t stranger = std::stoi(read_line(other.output));
    wait_and_reap(other.leader);
    EXPECT_THAT(pids(scan_tree(query(), seen_).strays), IsEmpty());
    EXPECT_THAT(kill_tree_now(query(), seen_).size(), 0U);
    const auto still_there = process_status(stranger).value();
    ASSERT_TRUE(still_there);
    EXPECT_FALSE(is_dead(*still_there));
    const auto process = open_process(stranger, still_there->start_time);
    ASSERT_TRUE(process);
    EXPECT_TRUE(kill_now(*process));
    reap_all();
}

TEST_F(ProcessTreeTest, IsKilledAsAWhole) {
    start_worker(
        "trap '' TERM; sleep 60 & setsid sh -c 'trap \"\" TERM; sleep 60 & sleep 60 & echo in; wait' & "
        "setsid env -i sh -c 'sleep 60 & echo in; wait' & wait");
    EXPECT_EQ(read_line(worker_.output), "in");
    EXPECT_EQ(read_line(worker_.output), "in");
    scan_tree(query(), seen_);
    EXPECT_TRUE(kill_tree_now(query(), seen_).empty());
    reap_all();
    EXPECT_EQ(read_all(worker_.output), "") << "all writers of the pipe must have ended";
}

TEST(ProcessTable, FindsTheSameChildrenBothWays) {
    Started worker = start(shell("sleep 60 & sleep 60 & echo in; wait"));
    EXPECT_EQ(read_line(worker.output), "in");
    auto listed = children_of(worker.leader.pid()).value();
    auto scanned = children_by_scanning_proc(worker.leader.pid()).value();
    std::sort(listed.begin(), listed.end());
    std::sort(scanned.begin(), scanned.end());
    EXPECT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed, scanned);
    EXPECT_TRUE(kill_group_now(worker.leader));
    reap_everything();
}

TEST(ProcessTable, ReadsAProcessWithAnyName) {
    Started worker = start(shell("printf 'a) b (S 1 2' > /proc/self/comm; echo in; sleep 60 & wait"));
    EXPECT_EQ(read_line(worker.output), "in");
    const auto renamed = process_status(worker.leader.pid()).value();
    ASSERT_TRUE(renamed);
    EXPECT_EQ(renamed->name, "a) b (S 1 2");
    EXPECT_EQ(renamed->parent, ::getpid());
    EXPECT_EQ(renamed->group, worker.leader.pid());
    EXPECT_TRUE(kill_group_now(worker.leader));
    read_all(worker.output);
    wait_for_end(worker.leader.process());
    const auto dead = process_status(worker.leader.pid()).value();
    EXPECT_TRUE(dead && is_dead(*dead));
    reap_everything();
    const auto self = process_status(::getpid()).value();
    ASSERT_TRUE(self);
    EXPECT_EQ(self->parent, ::getppid());
    EXPECT_EQ(self->group, ::getpgrp());
    EXPECT_EQ(self->session, ::getsid(0));
    EXPECT_GE(self->threads, 1);
    EXPECT_GT(self->start_time, 0U);
    EXPECT_FALSE(is_dead(*self));
    EXPECT_EQ(process_uid(::getpid()).value(), ::getuid());
    EXPECT_FALSE(process_status(0x3fffffff).value());
}

// Lets this process open no further descriptor.
class NoDescriptorsLeft {
  public:
    NoDescriptorsLeft() {
        ::getrlimit(RLIMIT_NOFILE, &former_);
        const UniqueFd next{::dup(STDERR_FILENO)};
        const rlimit none{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = former_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &none);
    }
    ~NoDescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &former_); }
    NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
    NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;

  private:
    rlimit former_{};
};

TEST_F(ProcessTreeTest, IsNotKnownToBeEmptyIfNoDescriptorIsLeft) {
    start_worker("setsid sh -c 'echo $$; exec sleep 60' & exit 3");
    const pid_t stray = next_pid();
    wait_for_end(worker_.leader.process());
    EXPECT_THAT(pids(scan_tree(query(), seen_).strays), ElementsAre(stray));
    {
        const NoDescriptorsLeft guard;
        const ProcessTree tree = scan_tree(query(), seen_);
        ASSERT_TRUE(tree.not_known);
        EXPECT_EQ(tree.not_known->code, EMFILE);
        EXPECT_FALSE(tree.empty());
        const ProcessTree spared = kill_tree_now(query(), seen_);
        EXPECT_TRUE(spared.not_known) << "a kill that has seen nothing must be repeated";
        EXPECT_EQ(process_status(stray).error().code, EMFILE);
        EXPECT_THAT(pids(signal_strays(seen_, SIGTERM)), Contains(stray)) << "it did not get the signal";
    }
    EXPECT_THAT(pids(scan_tree(query(), seen_).strays), ElementsAre(stray)) << "it was not killed";
    EXPECT_TRUE(kill_tree_now(query(), seen_).empty());
}

TEST_F(ProcessTreeTest, IsSeenWithTheReserveOfDescriptors) {
    start_worker("setsid sh -c 'echo $$; exec sleep 60' & exit 3");
    const pid_t stray = next_pid();
    wait_for_end(worker_.leader.process());
    DescriptorReserve reserve(6);
    const NoDescriptorsLeft guard;
    const ProcessTree tree = reserve.lend([&] { return scan_tree(query(), seen_); });
    EXPECT_FALSE(tree.not_known);
    EXPECT_THAT(pids(tree.strays), ElementsAre(stray));
    EXPECT_FALSE(reserve.lend([&] { return kill_tree_now(query(), seen_); }).not_known) << "it was not filled again";
}

}  // namespace
}  // namespace holdfast::os
