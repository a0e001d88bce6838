#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <holdfast/worker.hpp>
#include <latch>
#include <mutex>
#include <stdexcept>

#include "call_recorder.hpp"
#include "supervised_worker.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Resources : SupervisedWorker {
    int drain() {
        worker.ready();
        Waiter waiter(worker);
        supervisor.send_stage(Stage::drain, 1h);
        return waiter.status();
    }
};

TEST_F(Resources, CloseAfterTheirUsers) {
    Resource log = worker.resource("log", recorder.callback("log"));
    Resource database = worker.resource("database", recorder.callback("database"));
    Resource cache = worker.resource("cache", recorder.callback("cache"));
    database.used_by(cache);
    log.used_by(cache, database);
    EXPECT_EQ(drain(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("cache", "database", "log"));
}

TEST_F(Resources, WaitOnlyForTheTaskThatUsesThem) {
    std::latch database_closed(1);
    const Task writer = worker.start_task("writer", [&](const std::stop_token& stop) {
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait(lock, stop, [] { return false; });
        recorder.record("writer ended");
    });
    const Task slow = worker.start_task("slow", [&](const std::stop_token&) {
        database_closed.wait();
        recorder.record("slow ended");
    });
    worker
        .resource("database",
                  [&] {
                      recorder.record("database");
                      database_closed.count_down();
                  })
        .used_by(writer, sessions);
    worker.resource("other", recorder.callback("other")).used_by(slow);
    EXPECT_EQ(drain(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("writer ended", "database", "slow ended", "other"));
}

TEST_F(Resources, InADependencyCycleAreRejectedByName) {
    Resource first = worker.resource("first", recorder.callback("first"));
    Resource second = worker.resource("second", recorder.callback("second"));
    first.used_by(second);
    const std::string message = misuse([&] { second.used_by(first); });
    EXPECT_THAT(message, HasSubstr("first"));
    EXPECT_THAT(message, HasSubstr("second"));
    EXPECT_THAT(misuse([&] { first.used_by(first); }), HasSubstr("first"));
    EXPECT_EQ(drain(), 0);
    EXPECT_THAT(recorder.lines(), ElementsAre("second", "first"));
}

TEST_F(Resources, WhoseCloseThrowsAreReportedAndDoNotStopOthers) {
    ::testing::internal::CaptureStderr();
    worker.close_last("log", recorder.callback("log"));
    worker.close_last("pool", [] { throw std::runtime_error("still 3 leases"); });
    EXPECT_EQ(drain(), 3);
    EXPECT_THAT(recorder.lines(), ElementsAre("log"));
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("cannot close pool: still 3 leases"));
}

// Resources that were only registered earlier are closed; those that the hanging one uses stay open.
TEST_F(Resources, WhoseCloseHangsAreReportedAndDelayOnlyWhatTheyUse) {
    std::latch may_close(1);
    ::testing::internal::CaptureStderr();
    worker.close_last("log", recorder.callback("log"));
    Resource socket = worker.resource("socket", recorder.callback("socket"));
    Resource pool = worker.close_last("pool", [&] { may_close.wait(); }).within(10ms);
    socket.used_by(pool);
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain, 1h);
    supervisor.wait_for(names("resource pool (its close hangs)"));
    ASSERT_TRUE(eventually([&] { return recorder.lines() == std::vector<std::string>{"log"}; }));
    EXPECT_THAT(lines_of(worker.report().waiting), Contains(HasSubstr("socket")));
    EXPECT_FALSE(waiter.is_over());
    may_close.count_down();
    EXPECT_EQ(waiter.status(), 3);
    EXPECT_THAT(recorder.lines(), ElementsAre("log", "socket"));
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("closing pool has exceeded its timeout"));
}

TEST_F(Resources, AreReportedWhileTheyAreBeingClosed) {
    std::latch may_close(1);
    worker.close_last("pool", [&] { may_close.wait(); });
    worker.ready();
    Waiter waiter(worker);
    supervisor.send_stage(Stage::drain, 1h);
    const Report report = supervisor.wait_for(names("resource pool (closing)"));
    EXPECT_EQ(report.held, (std::vector<HeldCount>{{"resource", 1}}));
    may_close.count_down();
    EXPECT_EQ(waiter.status(), 0);
}

TEST_F(Resources, CannotBeAddedNorGetUsersAfterTheRelease) {
    Resource pool = worker.resource("pool", recorder.callback("pool"));
    EXPECT_EQ(drain(), 0);
    EXPECT_THAT(misuse([&] { worker.resource("late", [] {}); }), HasSubstr("cannot add the resource late"));
    EXPECT_THAT(misuse([&] { pool.used_by(requests); }), HasSubstr("pool"));
}

}  // namespace
}  // namespace holdfast::testing
