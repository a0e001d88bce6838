#include "runtime/blocking_thread.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "tests/unit/runtime/refused_threads.hpp"

namespace holdfast::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using MoreQueued = BlockingJob::MoreQueued;
using Place = BlockingThread::Place;

constexpr Duration a_minute = std::chrono::seconds{60};

// What happened to jobs, in order, and on which thread.
class JobLog {
  public:
    void add(const std::string& entry) {
        const std::lock_guard lock(mutex_);
        entries_.push_back(entry);
        threads_.push_back(std::this_thread::get_id());
    }
    std::vector<std::string> entries() const {
        const std::lock_guard lock(mutex_);
        return entries_;
    }
    std::thread::id thread_of(const std::string& entry) const {
        const std::lock_guard lock(mutex_);
        const auto found = std::ranges::find(entries_, entry);
        return found == entries_.end() ? std::thread::id{}
                                       : threads_[static_cast<std::size_t>(found - entries_.begin())];
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> entries_;
    std::vector<std::thread::id> threads_;
};

// Blocks a job in run() until it is opened.
class Gate {
  public:
    void wait() {
        entered_.set_value();
        open_.get_future().wait();
    }
    void wait_until_entered() { entered_.get_future().wait(); }
    void open() { open_.set_value(); }

  private:
    std::promise<void> entered_;
    std::promise<void> open_;
};

// Logs each call with its name.
class LoggedJob : public BlockingJob {
  public:
    LoggedJob(
        JobLog& log, std::string name, std::function<void()> work = [] {})
        : log_(log), name_(std::move(name)), work_(std::move(work)) {}
    ~LoggedJob() override { log_.add(name_ + " destroyed"); }
    void run(MoreQueued more) override {
        work_();
        log_.add(name_ + (more == MoreQueued::yes ? " run, more queued" : " run"));
    }
    void deliver() override { log_.add(name_ + " delivered"); }
    void discard() override { log_.add(name_ + " discarded"); }
    void refuse() override { log_.add(name_ + " refused"); }
    void interrupt() override { log_.add(name_ + " interrupted"); }

  private:
    JobLog& log_;
    std::string name_;
    std::function<void()> work_;
};

struct BlockingThreadTest : ::testing::Test {
    // No thread uses the members any more when they are destroyed.
    ~BlockingThreadTest() override {
        thread.reset();
        wait_for_stuck_threads();
    }
    void open(Duration idle_timeout = a_minute, std::size_t max_stuck = 100) {
        limit = StuckThreadLimit(max_stuck);
        thread.emplace(BlockingThread::Options{
            .idle_timeout = idle_timeout, .signals = BlockingThread::Signals::inherited, .limit = limit});
    }
    std::unique_ptr<BlockingJob> job(
        std::string name, std::function<void()> work = [] {}) {
        return std::make_unique<LoggedJob>(log, std::move(name), std::move(work));
    }
    // Its run() does not return before the gate is opened.
    void post_blocked(Place place = {}) {
        thread->post(job("blocked", [this] { gate.wait(); }), place);
        gate.wait_until_entered();
    }
    void wait_for_stuck_threads() const {
        while (limit.count() != 0) std::this_thread::yield();
    }

    JobLog log;
    Gate gate;
    StuckThreadLimit limit;
    std::optional<BlockingThread> thread;
};

TEST_F(BlockingThreadTest, RunsAndDeliversJobsInOrderOnOneThread) {
    open();
    thread->post(job("1"));
    thread->post(job("2"));
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    thread.reset();
    const auto entries = log.entries();
    EXPECT_THAT(entries, ElementsAre(testing::StartsWith("1 run"), "1 delivered", "1 destroyed", "2 run", "2 delivered",
                                     "2 destroyed"));
    for (const auto& entry : entries) EXPECT_EQ(log.thread_of(entry), log.thread_of("2 run"));
    EXPECT_NE(log.thread_of("2 run"), std::this_thread::get_id());
}

TEST_F(BlockingThreadTest, TellsAJobWhetherMoreAreQueued) {
    open();
    post_blocked();
    thread->post(job("1"));
    thread->post(job("2"));
    gate.open();
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_THAT(log.entries(), testing::IsSupersetOf({"blocked run", "1 run, more queued", "2 run"}));
}

TEST_F(BlockingThreadTest, AcceptsJobsFromSeveralThreads) {
    open();
    std::atomic<int> runs = 0;
    const auto post_many = [&] {
        for (int count = 0; count < 100; ++count) thread->post(job("job", [&] { ++runs; }));
    };
    auto one = std::async(std::launch::async, post_many), other = std::async(std::launch::async, post_many);
    one.get();
    other.get();
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_EQ(runs, 200);
}

TEST_F(BlockingThreadTest, RefusesAJobThatDoesNotFitInTheQueue) {
    open();
    post_blocked({.id = {}, .size = 100, .max_queued = 100});  // does not count once it runs
    thread->post(job("1"), {.id = {}, .size = 60, .max_queued = 100});
    thread->post(job("2"), {.id = {}, .size = 60, .max_queued = 100});
    EXPECT_THAT(log.entries(), ElementsAre("2 refused", "2 destroyed"));
    thread->post(job("3"), {.id = {}, .size = 40, .max_queued = 100});
    thread->post(job("4"), {.id = {}, .size = 40, .max_queued = 200});
    EXPECT_THAT(log.entries(), ElementsAre("2 refused", "2 destroyed"));
    gate.open();
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    thread->post(job("5"), {.id = {}, .size = 100, .max_queued = 100});
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_THAT(log.entries(), testing::IsSupersetOf({"1 delivered", "3 delivered", "4 delivered", "5 delivered"}));
}

TEST_F(BlockingThreadTest, IsNotIdleWhileAJobIsBlocked) {
    open();
    EXPECT_TRUE(thread->wait_until_idle(Duration{0}));
    post_blocked();
    EXPECT_FALSE(thread->wait_until_idle(Duration{1}));
    gate.open();
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
}

// Calls a function when its last copy is destroyed.
std::shared_ptr<void> on_destruction(std::function<void()> then) {
    return {nullptr, [then = std::move(then)](void*) { then(); }};
}

TEST_F(BlockingThreadTest, IsIdleOnlyOnceTheJobIsDestroyed) {
    open();
    thread->post(job("1", [owned = on_destruction([this] { gate.wait(); })] {}), {.id = JobId{1}});
    gate.wait_until_entered();
    EXPECT_THAT(log.entries(), ElementsAre("1 run", "1 delivered", "1 destroyed"));
    EXPECT_FALSE(thread->wait_until_idle(Duration{1}));
    EXPECT_FALSE(thread->abandon(JobId{1})) << "it has been delivered";
    gate.open();
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
}

TEST_F(BlockingThreadTest, JobsMayUseTheThreadWhenTheyAreDestroyed) {
    open();
    post_blocked();
    thread->post(job("2", [owned = on_destruction([this] { thread->post(job("3")); })] {}), {.id = JobId{2}});
    thread->post(job("4", [owned = on_destruction([this] { thread->post(job("5")); })] {}), {.id = JobId{4}});
    EXPECT_TRUE(thread->abandon(JobId{2}));
    gate.open();
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_THAT(log.entries(), testing::IsSupersetOf({"3 delivered", "4 delivered", "5 delivered"}));
}

TEST_F(BlockingThreadTest, AbandonsAQueuedJobWithoutRunningIt) {
    open();
    post_blocked({.id = JobId{1}});
    thread->post(job("2"), {.id = JobId{2}, .size = 100, .max_queued = 100});
    thread->post(job("3"), {.id = JobId{3}});
    EXPECT_TRUE(thread->abandon(JobId{2}));
    EXPECT_THAT(log.entries(), ElementsAre("2 destroyed"));
    thread->post(job("4"), {.id = JobId{4}, .size = 100, .max_queued = 100});
    gate.open();
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    thread.reset();
    EXPECT_THAT(log.entries(),
                ElementsAre("2 destroyed", "blocked run", "blocked delivered", "blocked destroyed",
                            "3 run, more queued", "3 delivered", "3 destroyed", "4 run", "4 delivered", "4 destroyed"));
}

TEST_F(BlockingThreadTest, AbandonsNoJobThatIsUnknownOrDelivered) {
    open();
    EXPECT_FALSE(thread->abandon(JobId{1}));
    thread->post(job("1"), {.id = JobId{1}});
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_FALSE(thread->abandon(JobId{1}));
    post_blocked({.id = JobId{2}});
    EXPECT_FALSE(thread->abandon(JobId{1}));
    EXPECT_EQ(limit.count(), 0U);
    gate.open();
}

TEST_F(BlockingThreadTest, ContinuesOnANewThreadBehindAnAbandonedJob) {
    open();
    post_blocked({.id = JobId{1}});
    thread->post(job("2"), {.id = JobId{2}});
    EXPECT_TRUE(thread->abandon(JobId{1}));
    EXPECT_EQ(limit.count(), 1U);
    EXPECT_TRUE(thread->wait_until_idle(a_minute)) << "the abandoned job does not count";
    EXPECT_FALSE(thread->abandon(JobId{1}));
    EXPECT_THAT(log.entries(), testing::IsSupersetOf({"blocked interrupted", "2 run", "2 delivered"}));
    EXPECT_EQ(log.entries().front(), "blocked interrupted");
    thread->post(job("3"));
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_EQ(log.thread_of("3 run"), log.thread_of("2 run"));

    gate.open();
    wait_for_stuck_threads();
    EXPECT_THAT(log.entries(), testing::IsSupersetOf({"blocked run", "blocked discarded", "blocked destroyed"}));
    EXPECT_THAT(log.entries(), testing::Not(testing::Contains("blocked delivered")));
    EXPECT_EQ(log.thread_of("blocked discarded"), log.thread_of("blocked run"));
    EXPECT_EQ(log.thread_of("blocked destroyed"), log.thread_of("blocked run"));
    EXPECT_NE(log.thread_of("blocked run"), log.thread_of("2 run"));
}

TEST_F(BlockingThreadTest, AThreadThatComesBackLateRunsNoFurtherJob) {
    open();
    post_blocked({.id = JobId{1}});
    EXPECT_TRUE(thread->abandon(JobId{1}));
    Gate second;
    thread->post(job("second", [&] { second.wait(); }));
    second.wait_until_entered();
    thread->post(job("third"));
    gate.open();
    wait_for_stuck_threads();
    EXPECT_THAT(log.entries(), testing::Not(testing::Contains("third run")));
    second.open();
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_EQ(log.thread_of("third run"), log.thread_of("second run"));
}

TEST_F(BlockingThreadTest, RefusesJobsAtTheLimitOfStuckThreads) {
    open(a_minute, 1);
    post_blocked({.id = JobId{1}});
    thread->post(job("2"), {.id = JobId{2}, .size = 100, .max_queued = 100});
    EXPECT_TRUE(thread->abandon(JobId{1}));
    EXPECT_THAT(log.entries(), ElementsAre("blocked interrupted", "2 refused", "2 destroyed"));
    thread->post(job("3"));
    EXPECT_THAT(log.entries(), testing::Contains("3 refused"));
    EXPECT_THROW(thread->start(), std::system_error);
    gate.open();
    wait_for_stuck_threads();
    thread->post(job("4"), {.id = {}, .size = 100, .max_queued = 100});
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_THAT(log.entries(), testing::Contains("4 delivered"));
}

TEST_F(BlockingThreadTest, SharesALimitWithOthers) {
    open(Duration{0}, 1);
    BlockingThread other({.idle_timeout = a_minute, .signals = BlockingThread::Signals::inherited, .limit = limit});
    BlockingThread another({.idle_timeout = a_minute, .signals = BlockingThread::Signals::inherited, .limit = {}});
    post_blocked();
    thread.reset();
    EXPECT_EQ(limit.count(), 1U) << "the destructor's detached thread counts as well";
    try {
        other.start();
        ADD_FAILURE() << "a thread was started";
    } catch (const std::system_error& refused) {
        EXPECT_EQ(refused.code(), std::errc::resource_unavailable_try_again);
    }
    EXPECT_NO_THROW(another.start());
    gate.open();
    wait_for_stuck_threads();
    EXPECT_NO_THROW(other.start());
}

TEST_F(BlockingThreadTest, StartsNoThreadBeforeItIsNeeded) {
    run_in_thread([this] {
        if (!refuse_new_threads()) GTEST_SKIP() << "system calls cannot be held here";
        EXPECT_NO_THROW(open());
        EXPECT_THROW(thread->start(), std::system_error);
        thread->post(job("1"));
        EXPECT_THAT(log.entries(), ElementsAre("1 refused", "1 destroyed"));
    });
    if (!thread) return;
    thread->post(job("2"));  // a thread can be started again
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_THAT(log.entries(), testing::Contains("2 delivered"));
}

TEST_F(BlockingThreadTest, StartIsIdempotent) {
    open();
    thread->start();
    thread->post(job("1", [this] {
        thread->start();  // allowed outside of deliver() and the like
    }));
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    thread->start();
    thread->post(job("2"));
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    EXPECT_EQ(log.thread_of("1 run"), log.thread_of("2 run"));
}

// Sets its flag, which is not atomic, at the end of the thread that created it.
class ThreadEnd {
  public:
    explicit ThreadEnd(bool& flag) : flag_(flag) {}
    ~ThreadEnd() {
        for (int count = 0; count < 10; ++count) std::this_thread::yield();
        flag_ = true;
    }
    ThreadEnd(const ThreadEnd&) = delete;
    ThreadEnd& operator=(const ThreadEnd&) = delete;

  private:
    bool& flag_;
};

TEST_F(BlockingThreadTest, JoinsAnIdleThreadAtTheEnd) {
    bool has_ended = false;
    open(Duration{0});
    thread->post(job("1", [&] { thread_local const ThreadEnd end(has_ended); }));
    EXPECT_TRUE(thread->wait_until_idle(a_minute));
    thread.reset();
    EXPECT_TRUE(has_ended);
}

TEST_F(BlockingThreadTest, WaitsForItsJobsAtTheEnd) {
    open(a_minute);
    post_blocked();
    for (int count = 0; count < 200; ++count) thread->post(job("job"));
    gate.open();
    thread.reset();
    EXPECT_EQ(std::ranges::count(log.entries(), "job delivered"), 200);
    EXPECT_EQ(limit.count(), 0U);
}

TEST_F(BlockingThreadTest, DetachesABlockedThreadAtTheEnd) {
    open(Duration{1});
    post_blocked();
    thread->post(job("2"));
    thread.reset();
    EXPECT_THAT(log.entries(), ElementsAre("blocked interrupted"));
    gate.open();
    wait_for_stuck_threads();
    EXPECT_THAT(log.entries(), ElementsAre("blocked interrupted", "blocked run", "blocked discarded",
                                           "blocked destroyed", "2 destroyed"));
    EXPECT_EQ(log.thread_of("2 destroyed"), log.thread_of("blocked discarded"))
        << "what a queued job owns may block when it is destroyed";
}

TEST_F(BlockingThreadTest, DestroysItsQueueAlthoughAnEarlierThreadIsStuck) {
    open(Duration{0});
    post_blocked({.id = JobId{1}});
    EXPECT_TRUE(thread->abandon(JobId{1}));
    Gate second;
    thread->post(job("second", [&] { second.wait(); }));
    second.wait_until_entered();
    thread->post(job("third"));
    thread.reset();
    second.open();
    while (limit.count() != 1) std::this_thread::yield();
    EXPECT_THAT(log.entries(), testing::Contains("third destroyed"));
    gate.open();
}

TEST_F(BlockingThreadTest, EndsWithoutAThread) {
    open(a_minute);
    thread.reset();
    EXPECT_THAT(log.entries(), IsEmpty());
}

bool are_equal(const sigset_t& one, const sigset_t& other) {
    for (int signal = 1; signal < SIGRTMAX; ++signal) {
        if (sigismember(&one, signal) != sigismember(&other, signal)) return false;
    }
    return true;
}

sigset_t mask_of_thread(BlockingThread::Signals signals) {
    sigset_t mask{};
    JobLog log;
    BlockingThread thread({.idle_timeout = a_minute, .signals = signals, .limit = {}});
    thread.post(std::make_unique<LoggedJob>(log, "mask", [&] { ::pthread_sigmask(SIG_SETMASK, nullptr, &mask); }));
    thread.wait_until_idle(a_minute);
    return mask;
}

TEST(BlockingThread, BlocksSignalsIfAskedTo) {
    sigset_t here{};
    ::pthread_sigmask(SIG_SETMASK, nullptr, &here);
    const sigset_t inherited = mask_of_thread(BlockingThread::Signals::inherited);
    EXPECT_TRUE(are_equal(inherited, here));
    const sigset_t blocked = mask_of_thread(BlockingThread::Signals::blocked);
    for (const int signal : {SIGTERM, SIGPIPE, SIGXFSZ, SIGCHLD, SIGUSR1}) {
        EXPECT_EQ(sigismember(&blocked, signal), 1) << signal;
    }
}

}  // namespace
}  // namespace holdfast::runtime
