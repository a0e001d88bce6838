#include "strict_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "background_load.hpp"
#include "misbehaving_server.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;

LoadOptions load_of(const std::string& address, Connections connections, std::uint64_t requests) {
    LoadOptions options;
    options.server = parse_server_address(address).value();
    options.connections = connections;
    options.clients = 4;
    options.timeout = 10s;
    options.requests = requests;
    return options;
}

LoadReport run(const LoadOptions& options) {
    LoadProgress progress;
    const LoadReport report = run_load(options, -1, progress);
    EXPECT_TRUE(report.is_balanced());
    EXPECT_EQ(progress.succeeded(), report.succeeded);
    EXPECT_EQ(progress.failed(), report.failed());
    return report;
}

// A listener that never accepts or, with a negative backlog, a bound port without a listener.
class UnansweredPort {
  public:
    explicit UnansweredPort(int backlog) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        address_.sin_family = AF_INET;
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const any = reinterpret_cast<sockaddr*>(&address_);
        socklen_t length = sizeof address_;
        EXPECT_EQ(::bind(fd_, any, length), 0);
        if (backlog >= 0) {
            EXPECT_EQ(::listen(fd_, backlog), 0);
        }
        EXPECT_EQ(::getsockname(fd_, any, &length), 0);
    }
    ~UnansweredPort() {
        ::close(fd_);
        for (const int fd : client_fds_) ::close(fd);
    }
    UnansweredPort(const UnansweredPort&) = delete;
    UnansweredPort& operator=(const UnansweredPort&) = delete;

    std::string text() const { return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }

    // Fills the accept queue: the SYN of a further connection gets no answer.
    void fill() {
        for (int i = 0; i < 4; ++i) {
            client_fds_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            ::connect(client_fds_.back(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
        }
    }

  private:
    int fd_;
    sockaddr_in address_{};
    std::vector<int> client_fds_;
};

constexpr std::array visible_behaviours{Behaviour::correct,        Behaviour::correct_connection_close,
                                        Behaviour::reset,          Behaviour::close,
                                        Behaviour::truncate_close, Behaviour::correct,
                                        Behaviour::correct,        Behaviour::status_500,
                                        Behaviour::correct,        Behaviour::garbage,
                                        Behaviour::truncate_reset, Behaviour::correct,
                                        Behaviour::close,          Behaviour::correct,
                                        Behaviour::reset};

Behaviour next_behaviour(std::uint64_t request) { return visible_behaviours[request % visible_behaviours.size()]; }

void expect_counts_match(const LoadReport& report, const MisbehavingServer& server) {
    EXPECT_EQ(report.succeeded, server.total(Behaviour::correct) + server.total(Behaviour::correct_connection_close));
    EXPECT_EQ(report.count(Failure::reset_on_fresh), server.on_fresh(Behaviour::reset));
    EXPECT_EQ(report.count(Failure::reset_on_reused), server.on_reused(Behaviour::reset));
    EXPECT_EQ(report.count(Failure::closed_on_fresh), server.on_fresh(Behaviour::close));
    EXPECT_EQ(report.count(Failure::closed_on_reused), server.on_reused(Behaviour::close));
    EXPECT_EQ(report.count(Failure::truncated),
              server.total(Behaviour::truncate_close) + server.total(Behaviour::truncate_reset));
    EXPECT_EQ(report.count(Failure::bad_status), server.total(Behaviour::status_500));
    EXPECT_EQ(report.count(Failure::malformed), server.total(Behaviour::garbage));
    EXPECT_EQ(report.count(Failure::timed_out), 0U);
    EXPECT_EQ(report.count(Failure::other), 0U);
}

TEST(StrictClient, CountsEachFailureOnFreshConnections) {
    const MisbehavingServer server(next_behaviour);
    const LoadReport report = run(load_of(server.address(), Connections::fresh, 1500));
    expect_counts_match(report, server);
    EXPECT_EQ(report.attempts, 1500U);
    EXPECT_EQ(report.connections, 1500U);
    EXPECT_EQ(report.count(Failure::reset_on_fresh), 200U);
    EXPECT_EQ(report.count(Failure::reset_on_reused), 0U);
}

TEST(StrictClient, CountsFailuresOnReusedConnectionsSeparately) {
    const MisbehavingServer server(next_behaviour);
    const LoadReport report = run(load_of(server.address(), Connections::keep_alive, 1500));
    expect_counts_match(report, server);
    EXPECT_GT(report.count(Failure::reset_on_reused), 0U);
    EXPECT_GT(report.count(Failure::closed_on_reused), 0U);
    EXPECT_EQ(report.connections + report.reused, report.attempts);
}

TEST(StrictClient, DetectsTruncationOfChunkedResponses) {
    const MisbehavingServer server(next_behaviour, BodyFraming::chunked);
    expect_counts_match(run(load_of(server.address(), Connections::keep_alive, 300)), server);
}

TEST(StrictClient, AcceptsTheEndOfTheStreamAsTheEndOfABodyWithoutLength) {
    const MisbehavingServer server([](std::uint64_t) { return Behaviour::correct; }, BodyFraming::until_close);
    const LoadReport report = run(load_of(server.address(), Connections::keep_alive, 100));
    EXPECT_EQ(report.succeeded, 100U);
    EXPECT_EQ(report.connections, 100U);
}

TEST(StrictClient, CountsAMissingResponseAsTimedOut) {
    const MisbehavingServer server(
        [](std::uint64_t request) { return request % 4 == 3 ? Behaviour::hang : Behaviour::correct; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 40);
    options.timeout = 200ms;
    const LoadReport report = run(options);
    EXPECT_EQ(report.count(Failure::timed_out), server.total(Behaviour::hang));
    EXPECT_EQ(report.count(Failure::timed_out), 10U);
    EXPECT_EQ(report.succeeded, 30U);
    EXPECT_GE(report.longest_gap, 200ms);
}

TEST(StrictClient, DoesNotCountACloseThatArrivedBeforeTheRequest) {
    const MisbehavingServer server([](std::uint64_t) { return Behaviour::correct_then_close; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 100);
    options.pause_low = options.pause_high = 1ms;
    const LoadReport report = run(options);
    EXPECT_EQ(report.failed(), 0U);
    EXPECT_EQ(report.connections, 100U);
    EXPECT_EQ(report.closed_while_idle, 96U);  // every connection but the first of each of the four clients
}

// The first request of each connection is answered; on the second one the server closes.
Behaviour close_every_second(std::uint64_t request) { return request % 2 == 0 ? Behaviour::correct : Behaviour::close; }

TEST(StrictClient, CountsLossesAfterThePromisedPauseSeparately) {
    const MisbehavingServer server(close_every_second);
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 40);
    options.clients = 1;
    options.pause_low = options.pause_high = 5ms;
    options.promised_idle = 4ms;
    const LoadReport report = run(options);
    EXPECT_EQ(report.excused_late, 20U);
    EXPECT_EQ(report.excused_late, server.on_reused(Behaviour::close));
    EXPECT_EQ(report.failed(), 0U);
}

TEST(StrictClient, ExcusesNoLossWithinThePromisedPause) {
    const MisbehavingServer server(close_every_second);
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 40);
    options.clients = 1;
    options.promised_idle = 10s;
    const LoadReport report = run(options);
    EXPECT_EQ(report.excused_late, 0U);
    EXPECT_EQ(report.count(Failure::closed_on_reused), 20U);
}

TEST(StrictClient, ExcusesNoFreshConnection) {
    const MisbehavingServer server([](std::uint64_t) { return Behaviour::close; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 20);
    options.pause_low = options.pause_high = 1ms;
    options.promised_idle = Duration{0};
    const LoadReport report = run(options);
    EXPECT_EQ(report.excused_late, 0U);
    EXPECT_EQ(report.count(Failure::closed_on_fresh), 20U);
}

TEST(StrictClient, CountsTheSameOnASlowNetwork) {
    const MisbehavingServer server(next_behaviour);
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 300);
    options.latency = 1ms;
    const LoadReport report = run(options);
    expect_counts_match(report, server);
    EXPECT_EQ(report.attempts, 300U);
}

TEST(StrictClient, HonoursConnectionClose) {
    const MisbehavingServer server([](std::uint64_t) { return Behaviour::correct_connection_close; });
    const LoadReport report = run(load_of(server.address(), Connections::keep_alive, 100));
    EXPECT_EQ(report.succeeded, 100U);
    EXPECT_EQ(report.reused, 0U);
    EXPECT_EQ(report.closed_while_idle, 0U);
}

TEST(StrictClient, CountsRefusedConnections) {
    const UnansweredPort closed(-1);
    EXPECT_EQ(run(load_of(closed.text(), Connections::fresh, 20)).count(Failure::refused), 20U);
}

TEST(StrictClient, CountsConnectionsThatAreNotEstablishedInTime) {
    UnansweredPort full(0);
    full.fill();
    LoadOptions options = load_of(full.text(), Connections::fresh, 8);
    options.connect_timeout = 100ms;
    EXPECT_EQ(run(options).count(Failure::connect_timed_out), 8U);
}

TEST(StrictClient, DistinguishesAMissingUnixPathFromARefusal) {
    const std::string directory = std::filesystem::temp_directory_path() / ("hf-" + std::to_string(::getpid()));
    std::filesystem::create_directory(directory);
    const std::string path = directory + "/socket";
    const auto missing = run(load_of("unix:" + path, Connections::fresh, 5));
    EXPECT_EQ(missing.count(Failure::no_such_path), 5U);

    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, path.size());
    ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(run(load_of("unix:" + path, Connections::fresh, 5)).count(Failure::refused), 5U);
    ::close(fd);
    std::filesystem::remove_all(directory);
}

TEST(StrictClient, CountsTheResponsesOfEachGeneration) {
    const MisbehavingServer server([](std::uint64_t) { return Behaviour::correct; });
    const auto report = run(load_of(server.address(), Connections::keep_alive, 50));
    EXPECT_THAT(report.by_generation, testing::ElementsAre(testing::Pair(7U, 50U)));
    EXPECT_LE(report.p50, report.p90);
    EXPECT_LE(report.p90, report.p99);
    EXPECT_LE(report.p99, report.max);
}

TEST(StrictClient, WaitsForRequestsInFlightWhenItIsStopped) {
    const MisbehavingServer server([](std::uint64_t) { return Behaviour::correct; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 0);
    options.requests.reset();
    BackgroundLoad load(options);
    load.wait_for_more(200);
    const LoadReport report = load.stop();
    EXPECT_TRUE(report.is_balanced());
    EXPECT_EQ(report.failed(), 0U);
    EXPECT_EQ(report.succeeded, server.total(Behaviour::correct));
}

TEST(StrictClient, DoesNotExceedTheConfiguredRate) {
    const MisbehavingServer server([](std::uint64_t) { return Behaviour::correct; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 101);
    options.rate = 500;
    EXPECT_GE(run(options).elapsed, 199ms);  // a hundred intervals of 2 ms
}

TEST(LoadReport, IsTheSameAfterConversionToJsonAndBack) {
    const MisbehavingServer server(next_behaviour);
    const LoadReport report = run(load_of(server.address(), Connections::fresh, 100));
    const LoadReport copy = load_report_from_json(to_json(report));
    EXPECT_EQ(copy.attempts, report.attempts);
    EXPECT_EQ(copy.failures, report.failures);
    EXPECT_EQ(copy.excused_late, report.excused_late);
    EXPECT_EQ(copy.by_generation, report.by_generation);
    EXPECT_EQ(copy.longest_gap, report.longest_gap);
    EXPECT_EQ(copy.p99, report.p99);
}

}  // namespace
}  // namespace holdfast::test
