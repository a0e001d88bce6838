// A connection that lasts longer than its requests, such as a WebSocket, has its own deadline in each adapter.

#include "shop_kinds.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

template <class Where>
class LeaveWithin : public ShopTest<Where> {};

TYPED_TEST_SUITE(LeaveWithin, EachAdapter, );

bool is_named(const Worker& worker) {
    const DrainReport report = worker.report();
    return report.requests == 0 && report.waiting.size() == 2 && report.waiting.front().name == "stay";
}

TYPED_TEST(LeaveWithin, IsNotExceededByAConnectionThatStays) {
    this->begin();
    const Client client(*this->endpoint);
    client.send("GET /stay HTTP/1.1\r\nHost: test\r\n\r\n");
    ASSERT_TRUE(eventually([&] { return is_named(*this->worker); }));
    const auto began = std::chrono::steady_clock::now();
    this->supervisor.send_stage(Stage::drain, 1h);
    this->supervisor.wait_for(names("session stay (overdue)"));
    EXPECT_GE(std::chrono::steady_clock::now() - began, Workshop::stay_period);
    EXPECT_TRUE(eventually([&] { return this->shop.users_at_close() == 0; }));  // the release has not waited for it
    EXPECT_EQ(this->worker->report().sessions, 1U);
    this->supervisor.send_stage(Stage::cancel);
    this->end();
}

}  // namespace
}  // namespace holdfast::testing
