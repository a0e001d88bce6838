// The servers when the process has no file descriptor left for a new connection.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "probe_fixture.hpp"

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;
using testing::StartsWith;

// Lowers RLIMIT_NOFILE; the destructor restores it.
class DescriptorLimit {
  public:
    explicit DescriptorLimit(rlim_t limit) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit lower{.rlim_cur = limit, .rlim_max = before_.rlim_max};
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

// `handlers_run`: the number of handlers in 550 ms, which are five and a half times emfile_backoff.
void expect_pauses(std::size_t handlers_run) {
    EXPECT_GE(handlers_run, 3U) << "it does not try to accept again";
    EXPECT_LE(handlers_run, 14U) << "more than an accept and a timer for each of five pauses: it spins";
}

TEST_F(ServerTest, PausesAcceptingWithoutADescriptorAndRecovers) {
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

TEST_F(ServerTest, AcceptsAgainWhenAClosedConnectionFreesADescriptor) {
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

TEST_F(ProbeServerTest, PausesAcceptingWithoutADescriptorAndRecovers) {
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
