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

// A listener that never accepts, and a port that nobody listens at.
class Door {
  public:
    explicit Door(int backlog) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
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
    ~Door() {
        ::close(fd_);
        for (const int fd : visitors_) ::close(fd);
    }
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    std::string text() const { return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }

    // Fills the queue: what comes next gets no answer to its SYN.
    void fill() {
        for (int i = 0; i < 4; ++i) {
            visitors_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            ::connect(visitors_.back(), reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
        }
    }

  private:
    int fd_;
    sockaddr_in address_{};
    std::vector<int> visitors_;
};

constexpr std::array every_visible_misdeed{
    Misdeed::honest,         Misdeed::honest_closing, Misdeed::reset,      Misdeed::end,    Misdeed::truncate_end,
    Misdeed::honest,         Misdeed::honest,         Misdeed::status_500, Misdeed::honest, Misdeed::garbage,
    Misdeed::truncate_reset, Misdeed::honest,         Misdeed::end,        Misdeed::honest, Misdeed::reset};

Misdeed next_misdeed(std::uint64_t request) { return every_visible_misdeed[request % every_visible_misdeed.size()]; }

void expect_counts_match(const LoadReport& report, const MisbehavingServer& server) {
    EXPECT_EQ(report.succeeded, server.total(Misdeed::honest) + server.total(Misdeed::honest_closing));
    EXPECT_EQ(report.count(Failure::reset_on_fresh), server.on_fresh(Misdeed::reset));
    EXPECT_EQ(report.count(Failure::reset_on_reused), server.on_reused(Misdeed::reset));
    EXPECT_EQ(report.count(Failure::closed_on_fresh), server.on_fresh(Misdeed::end));
    EXPECT_EQ(report.count(Failure::closed_on_reused), server.on_reused(Misdeed::end));
    EXPECT_EQ(report.count(Failure::truncated),
              server.total(Misdeed::truncate_end) + server.total(Misdeed::truncate_reset));
    EXPECT_EQ(report.count(Failure::bad_status), server.total(Misdeed::status_500));
    EXPECT_EQ(report.count(Failure::malformed), server.total(Misdeed::garbage));
    EXPECT_EQ(report.count(Failure::timed_out), 0U);
    EXPECT_EQ(report.count(Failure::other), 0U);
}

TEST(StrictClient, CountsEachMisdeedOnFreshConnectionsOneForOne) {
    const MisbehavingServer server(next_misdeed);
    const LoadReport report = run(load_of(server.address(), Connections::fresh, 1500));
    expect_counts_match(report, server);
    EXPECT_EQ(report.attempts, 1500U);
    EXPECT_EQ(report.connections, 1500U);
    EXPECT_EQ(report.count(Failure::reset_on_fresh), 200U);
    EXPECT_EQ(report.count(Failure::reset_on_reused), 0U);
}

TEST(StrictClient, CountsEachMisdeedOnReusedConnectionsApart) {
    const MisbehavingServer server(next_misdeed);
    const LoadReport report = run(load_of(server.address(), Connections::keep_alive, 1500));
    expect_counts_match(report, server);
    EXPECT_GT(report.count(Failure::reset_on_reused), 0U);
    EXPECT_GT(report.count(Failure::closed_on_reused), 0U);
    EXPECT_EQ(report.connections + report.reused, report.attempts);
}

TEST(StrictClient, SeesTruncationOfChunkedAnswers) {
    const MisbehavingServer server(next_misdeed, Transfer::chunked);
    expect_counts_match(run(load_of(server.address(), Connections::keep_alive, 300)), server);
}

TEST(StrictClient, TakesTheEndOfTheStreamAsTheEndOfABodyWithoutLength) {
    const MisbehavingServer server([](std::uint64_t) { return Misdeed::honest; }, Transfer::until_end);
    const LoadReport report = run(load_of(server.address(), Connections::keep_alive, 100));
    EXPECT_EQ(report.succeeded, 100U);
    EXPECT_EQ(report.connections, 100U);
}

TEST(StrictClient, CountsAnAnswerThatNeverComesAsTimedOut) {
    const MisbehavingServer server(
        [](std::uint64_t request) { return request % 4 == 3 ? Misdeed::hang : Misdeed::honest; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 40);
    options.timeout = 200ms;
    const LoadReport report = run(options);
    EXPECT_EQ(report.count(Failure::timed_out), server.total(Misdeed::hang));
    EXPECT_EQ(report.count(Failure::timed_out), 10U);
    EXPECT_EQ(report.succeeded, 30U);
    EXPECT_GE(report.longest_gap, 200ms);
}

TEST(StrictClient, DoesNotChargeAnEndThatHadArrivedBeforeTheRequest) {
    const MisbehavingServer server([](std::uint64_t) { return Misdeed::honest_then_end; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 100);
    options.pause_low = options.pause_high = 1ms;
    const LoadReport report = run(options);
    EXPECT_EQ(report.failed(), 0U);
    EXPECT_EQ(report.connections, 100U);
    EXPECT_EQ(report.closed_while_idle, 96U);  // every connection but the first of each of the four clients
}

// The first request of each connection is answered, the second one loses it.
Misdeed end_every_second(std::uint64_t request) { return request % 2 == 0 ? Misdeed::honest : Misdeed::end; }

TEST(StrictClient, CountsApartWhatIsLostAfterALongerPauseThanThePromisedOne) {
    const MisbehavingServer server(end_every_second);
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 40);
    options.clients = 1;
    options.pause_low = options.pause_high = 5ms;
    options.promised_idle = 4ms;
    const LoadReport report = run(options);
    EXPECT_EQ(report.excused_late, 20U);
    EXPECT_EQ(report.excused_late, server.on_reused(Misdeed::end));
    EXPECT_EQ(report.failed(), 0U);
}

TEST(StrictClient, ExcusesNothingThatWasLostWithinThePromisedPause) {
    const MisbehavingServer server(end_every_second);
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 40);
    options.clients = 1;
    options.promised_idle = 10s;
    const LoadReport report = run(options);
    EXPECT_EQ(report.excused_late, 0U);
    EXPECT_EQ(report.count(Failure::closed_on_reused), 20U);
}

TEST(StrictClient, ExcusesNoFreshConnection) {
    const MisbehavingServer server([](std::uint64_t) { return Misdeed::end; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 20);
    options.pause_low = options.pause_high = 1ms;
    options.promised_idle = Duration{0};
    const LoadReport report = run(options);
    EXPECT_EQ(report.excused_late, 0U);
    EXPECT_EQ(report.count(Failure::closed_on_fresh), 20U);
}

TEST(StrictClient, IsAsStrictThroughASlowNetwork) {
    const MisbehavingServer server(next_misdeed);
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 300);
    options.latency = 1ms;
    const LoadReport report = run(options);
    expect_counts_match(report, server);
    EXPECT_EQ(report.attempts, 300U);
}

TEST(StrictClient, HonoursConnectionClose) {
    const MisbehavingServer server([](std::uint64_t) { return Misdeed::honest_closing; });
    const LoadReport report = run(load_of(server.address(), Connections::keep_alive, 100));
    EXPECT_EQ(report.succeeded, 100U);
    EXPECT_EQ(report.reused, 0U);
    EXPECT_EQ(report.closed_while_idle, 0U);
}

TEST(StrictClient, CountsRefusedConnections) {
    const Door closed(-1);
    EXPECT_EQ(run(load_of(closed.text(), Connections::fresh, 20)).count(Failure::refused), 20U);
}

TEST(StrictClient, CountsConnectionsThatAreNotMadeInTime) {
    Door full(0);
    full.fill();
    LoadOptions options = load_of(full.text(), Connections::fresh, 8);
    options.connect_timeout = 100ms;
    EXPECT_EQ(run(options).count(Failure::connect_timed_out), 8U);
}

TEST(StrictClient, TellsAMissingUnixPathFromARefusal) {
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

TEST(StrictClient, CountsTheAnswersOfEachGeneration) {
    const MisbehavingServer server([](std::uint64_t) { return Misdeed::honest; });
    const auto report = run(load_of(server.address(), Connections::keep_alive, 50));
    EXPECT_THAT(report.by_generation, testing::ElementsAre(testing::Pair(7U, 50U)));
    EXPECT_LE(report.p50, report.p90);
    EXPECT_LE(report.p90, report.p99);
    EXPECT_LE(report.p99, report.max);
}

TEST(StrictClient, EndsWhenItIsStoppedAndLosesNothing) {
    const MisbehavingServer server([](std::uint64_t) { return Misdeed::honest; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 0);
    options.requests.reset();
    BackgroundLoad load(options);
    load.wait_for_more(200);
    const LoadReport report = load.stop();
    EXPECT_TRUE(report.is_balanced());
    EXPECT_EQ(report.failed(), 0U);
    EXPECT_EQ(report.succeeded, server.total(Misdeed::honest));
}

TEST(StrictClient, KeepsToTheRateItIsGiven) {
    const MisbehavingServer server([](std::uint64_t) { return Misdeed::honest; });
    LoadOptions options = load_of(server.address(), Connections::keep_alive, 101);
    options.rate = 500;
    EXPECT_GE(run(options).elapsed, 199ms);  // a hundred intervals of 2 ms
}

TEST(LoadReport, SurvivesItsWayThroughJson) {
    const MisbehavingServer server(next_misdeed);
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
