// The deadline of a transfer.

#include <gtest/gtest.h>

#include <holdfast/transfer.hpp>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using Clock = TransferDeadline::Clock;

const Clock::time_point begin_time{1h};

TEST(TransferDeadline, IsThePeriodForAClientThatMovesNothing) {
    TransferDeadline deadline({.period = 30s, .min_rate = 100});
    EXPECT_EQ(deadline.wait(begin_time), begin_time + 30s);
    EXPECT_EQ(deadline.moved(0, begin_time + 10s), begin_time + 30s);
    EXPECT_EQ(deadline.moved(0, begin_time + 40s), begin_time + 40s);
}

TEST(TransferDeadline, IsExtendedByWhatTheBytesAreWorth) {
    TransferDeadline deadline({.period = 30s, .min_rate = 100});
    deadline.wait(begin_time);
    EXPECT_EQ(deadline.moved(500, begin_time + 20s), begin_time + 20s + 15s);
    EXPECT_EQ(deadline.moved(1'000'000, begin_time + 30s), begin_time + 30s + 30s);  // not more than the period
}

TEST(TransferDeadline, IsRestartedByAnyByteWithoutAMinimumRate) {
    TransferDeadline deadline({.period = 30s, .min_rate = 0});
    deadline.wait(begin_time);
    for (auto now = begin_time; now < begin_time + 1h; now += 29s) EXPECT_EQ(deadline.moved(1, now), now + 30s);
}

TEST(TransferDeadline, PassesSomeDayForAClientBelowTheMinimumRate) {
    TransferDeadline deadline({.period = 30s, .min_rate = 100});
    Clock::time_point now = begin_time, end = deadline.wait(begin_time);
    for (now += 1s; now < end; now += 1s) {
        end = deadline.moved(99, now);
        ASSERT_LT(now, begin_time + 2h);
    }
    EXPECT_GT(now, begin_time + 10min);
}

TEST(TransferDeadline, DoesNotPassForAClientAtTheMinimumRate) {
    TransferDeadline deadline({.period = 30s, .min_rate = 100});
    deadline.wait(begin_time);
    for (auto now = begin_time + 10s; now < begin_time + 24h; now += 10s) ASSERT_GT(deadline.moved(1000, now), now);
}

TEST(TransferDeadline, DoesNotCountTheTimeThatTheServerNeeds) {
    TransferDeadline deadline({.period = 30s, .min_rate = 100});
    deadline.wait(begin_time);
    deadline.moved(1, begin_time + 10s);
    EXPECT_EQ(deadline.wait(begin_time + 1h), begin_time + 1h + 20s + 10ms);
}

TEST(TransferDeadline, HasTheWholePeriodForANewRequest) {
    TransferDeadline deadline({.period = 30s, .min_rate = 100});
    deadline.wait(begin_time);
    deadline.moved(0, begin_time + 29s);
    deadline.begin();
    EXPECT_EQ(deadline.wait(begin_time + 30s), begin_time + 60s);
}

TEST(TransferDeadline, MayHaveTheLongestPeriod) {
    TransferDeadline deadline({.period = std::chrono::milliseconds::max()});
    EXPECT_GT(deadline.wait(Clock::now()), Clock::now() + 1h);
}

}  // namespace
}  // namespace holdfast::testing
