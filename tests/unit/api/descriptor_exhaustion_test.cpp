// The process has no descriptor left for a client.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "probe_fixture.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;
using testing::StartsWith;

// Lowers the number of descriptors that this process may have for as long as it lives.
class DescriptorLimit {
  public:
    explicit DescriptorLimit(rlim_t most) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit lower{.rlim_cur = most, .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &lower);
    }
    ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  private:
    rlimit before_{};
};

DescriptorLimit no_descriptor_left() {
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    return DescriptorLimit(static_cast<rlim_t>(lowest_free));
}

// In five and a half pauses of the server.
void expect_pauses(std::size_t handlers_run) {
    EXPECT_GE(handlers_run, 3U);   // it tries again
    EXPECT_LE(handlers_run, 14U);  // an accept and a timer for each of five pauses, not a loop
}

TEST_F(ServerTest, PausesWithoutADescriptorAndRecoversByItself) {
    start({.emfile_backoff = 100ms});
    run_until([&] { return io_.poll() == 0; });
    RawClient client = connect();
    client.send(get_status);
    {
        const DescriptorLimit limit = no_descriptor_left();
        expect_pauses(handlers_run_within(550ms));
        EXPECT_EQ(client.received(), "");
    }
    run_until([&] { return client.is_answered(); });
    EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, AcceptsAgainAsSoonAsAConnectionFreesADescriptor) {
    start({.emfile_backoff = 60'000ms});
    RawClient first = connect();
    first.send(get_status);
    run_until([&] { return first.is_answered(); });
    RawClient second = connect();
    second.send(get_status);
    const DescriptorLimit limit = no_descriptor_left();
    handlers_run_within(50ms);
    EXPECT_EQ(second.received(), "");
    first.hang_up();
    run_until([&] { return second.is_answered(); });
}

TEST_F(ProbeServerTest, PausesWithoutADescriptorAndRecoversByItself) {
    start_probes({.emfile_backoff = 100ms});
    run_until([&] { return io_.poll() == 0; });
    RawClient client = ask(get("/readyz"));
    {
        const DescriptorLimit limit = no_descriptor_left();
        expect_pauses(handlers_run_within(550ms));
        EXPECT_EQ(client.received(), "");
    }
    run_until([&] { return client.is_answered(); });
    EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace holdfast::api
