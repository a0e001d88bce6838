// A client that goes away, in each adapter: its request stays counted until the handler is done with it, what requests
// use is closed only afterwards, and nothing stays counted.

#include "shop_kinds.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

template <class Where>
class Resets : public ShopTest<Where> {};

TYPED_TEST_SUITE(Resets, EachAdapterAndFamily, );

constexpr std::string_view work_request = "GET /work HTTP/1.1\r\nHost: test\r\n\r\n";

TYPED_TEST(Resets, AtAnyStepLeaveNothingCounted) {
    this->begin();
    for (int i = 0; i < 3; ++i) {
        Client connected(*this->endpoint), in_head(*this->endpoint), in_body(*this->endpoint);
        Client asked(*this->endpoint), answered(*this->endpoint);
        in_head.send("GET / HTTP/1.1\r\nHo");
        in_body.send("POST /count HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nhalf");
        answered.send("GET /bytes?n=20000000 HTTP/1.1\r\nHost: test\r\n\r\n");
        EXPECT_FALSE(answered.read_some(1000).empty());
        asked.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        for (Client* client : {&connected, &in_head, &in_body, &asked, &answered}) client->reset();
        this->ask_another();
    }
    this->supervisor.send_stage(Stage::drain);
    const Report last = this->supervisor.wait_for(is_drained);
    EXPECT_EQ(last.in_flight, 0U);
    this->end();
    EXPECT_EQ(this->status, 0);
    EXPECT_EQ(this->shop.users_at_close(), 0);
}

TYPED_TEST(Resets, DuringTheWorkKeepTheRequestCounted) {
    this->begin();
    Client client(*this->endpoint);
    client.send(work_request);
    ASSERT_TRUE(eventually([&] { return this->shop.users() == 1; }));
    client.reset();
    for (int i = 0; i < 2; ++i) this->ask_another();
    this->supervisor.send_stage(Stage::drain);
    const Report during = this->supervisor.wait_for(has_stopped_accepting);
    EXPECT_EQ(during.in_flight, 1U);
    EXPECT_EQ(this->shop.users_at_close(), -1);
    this->shop.end_work();
    const Report last = this->supervisor.wait_for(is_drained);
    EXPECT_EQ(last.in_flight, 0U);
    this->end();
    EXPECT_EQ(this->status, 0);
    EXPECT_EQ(this->shop.users_at_close(), 0);
}

// The connections end at the cancel (some when their handler has returned), the work does not.
TYPED_TEST(Resets, ByTheCancelKeepTheRequestCounted) {
    this->begin();
    Client client(*this->endpoint);
    client.send(work_request);
    ASSERT_TRUE(eventually([&] { return this->shop.users() == 1; }));
    this->supervisor.send_stage(Stage::drain);
    this->supervisor.wait_for(has_stopped_accepting);
    this->supervisor.send_stage(Stage::cancel);
    this->cancelled.get_future().wait();
    EXPECT_EQ(this->worker->report().requests, 1U);
    EXPECT_EQ(this->shop.users_at_close(), -1);
    this->shop.end_work();
    this->end();
    EXPECT_EQ(this->shop.users_at_close(), 0);
}

}  // namespace
}  // namespace holdfast::testing
