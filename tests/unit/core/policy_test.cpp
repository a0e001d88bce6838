#include "core/policy.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "core/bounds.hpp"

namespace holdfast::core {
namespace {

TEST(Policy, DefaultHasNoFault) { EXPECT_EQ(find_fault(Policy{}), std::nullopt); }

struct Fault {
    const char* word;  // must occur in the sentence
    std::function<void(Policy&)> make;
};

class PolicyFault : public ::testing::TestWithParam<Fault> {};

TEST_P(PolicyFault, IsNamed) {
    Policy policy;
    GetParam().make(policy);
    const auto fault = find_fault(policy);
    ASSERT_TRUE(fault);
    EXPECT_NE(fault->find(GetParam().word), std::string::npos) << *fault;
}

INSTANTIATE_TEST_SUITE_P(Each, PolicyFault,
                         ::testing::Values(Fault{"workers", [](Policy& p) { p.workers = 0; }},
                                           Fault{"workers", [](Policy& p) { p.workers = max_workers + 1; }},
                                           Fault{"ready-timeout", [](Policy& p) { p.ready_timeout = 0s; }},
                                           Fault{"settle", [](Policy& p) { p.settle = -1s; }},
                                           Fault{"lame-duck", [](Policy& p) { p.lame_duck = -1s; }},
                                           Fault{"grace-period", [](Policy& p) { p.grace_period = -1s; }},
                                           Fault{"cancel-period", [](Policy& p) { p.cancel_period = Duration::max(); }},
                                           Fault{"max-extension", [](Policy& p) { p.max_extension = -1s; }},
                                           Fault{"max-pause", [](Policy& p) { p.max_pause = 0s; }},
                                           Fault{"backoff", [](Policy& p) { p.backoff_min = 0s; }},
                                           Fault{"MIN..MAX", [](Policy& p) { p.backoff_min = 31s; }},
                                           Fault{"max-surge",
                                                 [](Policy& p) {
                                                     p.max_surge = {-1, false};
                                                 }},
                                           Fault{"max-unavailable",
                                                 [](Policy& p) {
                                                     p.max_unavailable = {101, true};
                                                 }},
                                           Fault{"stop-signal", [](Policy& p) { p.stop_signal = 9; }},
                                           Fault{"stop-signal", [](Policy& p) { p.stop_signal = 0; }},
                                           Fault{"cancel-signal", [](Policy& p) { p.cancel_signal = 19; }},
                                           Fault{"probation", [](Policy& p) { p.probation = -1s; }},
                                           Fault{"probation", [](Policy& p) { p.probation = 24h * 366; }},
                                           Fault{"queue-for", [](Policy& p) { p.queue_for = -1s; }},
                                           Fault{"watchdog", [](Policy& p) { p.watchdog = -1s; }},
                                           Fault{"100ms", [](Policy& p) { p.watchdog = 99ms; }},
                                           Fault{"min-ready", [](Policy& p) { p.min_ready = -1; }},
                                           Fault{"min-ready", [](Policy& p) { p.min_ready = max_workers + 1; }},
                                           Fault{"starts with /",
                                                 [](Policy& p) {
                                                     p.ready_when = ReadyProbe{ReadyProbe::How::http,
                                                                               ReadyProbe::Where::address, "127.0.0.1:1",
                                                                               "health"};
                                                 }},
                                           Fault{"tcp: needs an address",
                                                 [](Policy& p) {
                                                     p.ready_when = ReadyProbe{};
                                                 }},
                                           Fault{"private listener",
                                                 [](Policy& p) {
                                                     p.ready_when =
                                                         ReadyProbe{ReadyProbe::How::tcp,
                                                                    ReadyProbe::Where::private_listener, "", "/"};
                                                 }},
                                           Fault{"alive", [](Policy& p) { p.ready_when = ReadyAlive{60s}; }}));

TEST(Policy, AllowsNoCancelSignal) {
    Policy policy;
    policy.cancel_signal = 0;
    EXPECT_EQ(find_fault(policy), std::nullopt);
}

TEST(Policy, AllowsProbesAndTheShortestWatchdog) {
    Policy policy;
    policy.watchdog = 100ms;
    policy.min_ready = 0;
    policy.probation = policy.queue_for = 0s;
    for (const auto where : {ReadyProbe::Where::address, ReadyProbe::Where::private_listener}) {
        policy.ready_when = ReadyProbe{ReadyProbe::How::http, where,
                                       where == ReadyProbe::Where::address ? "127.0.0.1:9000" : "", "/health"};
        EXPECT_EQ(find_fault(policy), std::nullopt);
    }
}

TEST(Share, IsRoundedUp) {
    EXPECT_EQ((Share{25, true}.of(2)), 1);
    EXPECT_EQ((Share{25, true}.of(5)), 2);
    EXPECT_EQ((Share{3, false}.of(2)), 3);
    EXPECT_EQ((Share{0, true}.of(5)), 0);
}

TEST(Unavailable, IsAtLeastOneWithoutSurge) {
    Policy policy;
    EXPECT_EQ(unavailable(policy, 4), 0);
    policy.max_surge = {0, false};
    EXPECT_EQ(unavailable(policy, 4), 1);
    policy.max_unavailable = {50, true};
    EXPECT_EQ(unavailable(policy, 4), 2);
}

}  // namespace
}  // namespace holdfast::core
