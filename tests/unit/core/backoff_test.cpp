#include "core/backoff.hpp"

#include <gtest/gtest.h>

namespace holdfast::core {
namespace {

Policy half_a_second_to_thirty() {
    Policy policy;
    policy.backoff_min = 500ms;
    policy.backoff_max = 30s;
    return policy;
}

TEST(Backoff, IsZeroAfterTheFirstCrash) {
    Random random{1};
    EXPECT_EQ(backoff_delay(half_a_second_to_thirty(), 1, random), 0s);
}

TEST(Backoff, DoublesFromTheMinimumAndAddsAtMostAQuarter) {
    const Policy policy = half_a_second_to_thirty();
    Random random{7};
    Duration base = policy.backoff_min;
    for (int crashes = 2; crashes <= 7; ++crashes, base *= 2) {
        for (int i = 0; i < 200; ++i) {
            const Duration delay = backoff_delay(policy, crashes, random);
            EXPECT_GE(delay, base) << crashes;
            EXPECT_LE(delay, base * 5 / 4) << crashes;
        }
    }
}

TEST(Backoff, NeverExceedsTheMaximumAndStaysNearIt) {
    const Policy policy = half_a_second_to_thirty();
    Random random{7};
    for (const int crashes : {8, 9, 20, 1'000, 1'000'000}) {
        for (int i = 0; i < 200; ++i) {
            const Duration delay = backoff_delay(policy, crashes, random);
            EXPECT_LE(delay, policy.backoff_max);
            EXPECT_GE(delay, policy.backoff_max * 4 / 5);
        }
    }
}

TEST(Backoff, DiffersBetweenSlotsThatCrashAtTheSameTime) {
    Random random{3};
    const Policy policy = half_a_second_to_thirty();
    EXPECT_NE(backoff_delay(policy, 4, random), backoff_delay(policy, 4, random));
}

TEST(Backoff, HasNoJitterIfMinimumAndMaximumAreEqual) {
    Policy policy;
    policy.backoff_min = policy.backoff_max = 2s;
    Random random{1};
    EXPECT_EQ(backoff_delay(policy, 2, random), 2s);
    EXPECT_EQ(backoff_delay(policy, 9, random), 2s);
}

}  // namespace
}  // namespace holdfast::core
