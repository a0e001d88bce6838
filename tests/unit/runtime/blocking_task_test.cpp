#include "runtime/blocking_task.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>

#include "tests/unit/runtime/refused_threads.hpp"

namespace holdfast::runtime {
namespace {

using MoveOnly = std::unique_ptr<int>;
using Task = BlockingTask<MoveOnly>;

// Calls a function when it is destroyed.
struct OnDestruction {
    explicit OnDestruction(std::function<void()> given) : then(std::move(given)) {}
    ~OnDestruction() { then(); }
    OnDestruction(const OnDestruction&) = delete;
    OnDestruction& operator=(const OnDestruction&) = delete;
    std::function<void()> then;
};

void fail_on_discard(const MoveOnly&) { ADD_FAILURE() << "a result was discarded"; }

TEST(BlockingTask, PostsTheResultToTheLoop) {
    boost::asio::io_context io;
    std::thread::id worked_on, done_on;
    int result = 0;
    std::optional<Task> task;
    const auto work = [&] {
        worked_on = std::this_thread::get_id();
        return std::make_unique<int>(42);
    };
    const auto done = [&](const MoveOnly& value) {
        done_on = std::this_thread::get_id();
        result = *value;
        task.reset();  // allowed
    };
    task.emplace(io, work, done, fail_on_discard);
    while (result == 0) io.run_one(), io.restart();
    EXPECT_EQ(result, 42);
    EXPECT_EQ(done_on, std::this_thread::get_id());
    EXPECT_NE(worked_on, done_on);
    EXPECT_FALSE(task);
}

TEST(BlockingTask, DiscardsALateResultOnItsThread) {
    auto io = std::make_unique<boost::asio::io_context>();
    std::promise<void> entered, opened;
    std::promise<std::thread::id> discarded_on;
    std::thread::id worked_on;
    const StuckThreadLimit limit;
    {
        const Task task(
            *io,
            [&] {
                worked_on = std::this_thread::get_id();
                entered.set_value();
                opened.get_future().wait();
                return std::make_unique<int>(42);
            },
            [](const MoveOnly&) { ADD_FAILURE() << "an abandoned task was done"; },
            [&](const MoveOnly& value) {
                EXPECT_EQ(*value, 42);
                discarded_on.set_value(std::this_thread::get_id());
            },
            limit);
        entered.get_future().wait();
    }
    io.reset();  // not used any more
    EXPECT_EQ(limit.count(), 1U);
    opened.set_value();
    EXPECT_EQ(discarded_on.get_future().get(), worked_on);
    while (limit.count() != 0) std::this_thread::yield();
}

TEST(BlockingTask, DiscardsAResultThatWasPostedBeforeTheEnd) {
    boost::asio::io_context io;
    std::promise<void> posted;
    int discarded = 0;
    // Destroyed with the work, after the result was posted.
    auto end_of_work = std::make_shared<OnDestruction>([&] { posted.set_value(); });
    {
        const Task task(
            io, [owned = std::move(end_of_work)] { return std::make_unique<int>(42); },
            [](const MoveOnly&) { ADD_FAILURE() << "an abandoned task was done"; },
            [&](const MoveOnly& value) { discarded = *value; });
        posted.get_future().wait();
    }
    EXPECT_EQ(discarded, 0);
    io.run();
    EXPECT_EQ(discarded, 42);
}

TEST(BlockingTask, ThrowsIfNoThreadCanBeStarted) {
    run_in_thread([] {
        if (!refuse_new_threads()) GTEST_SKIP() << "system calls cannot be held here";
        boost::asio::io_context io;
        EXPECT_THROW(Task(
                         io, [] { return std::make_unique<int>(42); },
                         [](const MoveOnly&) { ADD_FAILURE() << "a task without a thread was done"; }, fail_on_discard),
                     std::system_error);
        io.run();
    });
}

TEST(BlockingTask, ThrowsAtTheLimitOfStuckThreads) {
    boost::asio::io_context io;
    const auto start = [&] {
        const Task task(
            io, [] { return std::make_unique<int>(42); }, [](const MoveOnly&) {}, [](const MoveOnly&) {},
            StuckThreadLimit(0));
    };
    EXPECT_THROW(start(), std::system_error);
}

}  // namespace
}  // namespace holdfast::runtime
