// Hostile or broken clients of the API socket and of --admin: their cost is bounded, and they affect neither the
// service nor a restart in progress.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "operations.hpp"
#include "proc.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

// HOLDFAST_HOSTILE_CONNECTIONS overrides the default.
int total_connections() {
    const char* number = std::getenv("HOLDFAST_HOSTILE_CONNECTIONS");
    return number == nullptr ? DEFAULT_CONNECTIONS : std::stoi(number);
}
constexpr int concurrent_connections = 2'000;

std::int64_t resident_kib(pid_t pid) {
    const std::string status = status_of(pid);
    return std::stoll(status.substr(status.find("VmRSS:") + 6));
}

// A client's end of a connection. It blocks only in connect(2), while the accept queue is full.
class Client {
  public:
    explicit Client(const ServerAddress& server) : fd_(::socket(server.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval limit{20, 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        is_connected_ = ::connect(fd_, server.data(), server.length) == 0;
    }
    ~Client() {
        if (fd_ >= 0) ::close(fd_);
    }
    Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), is_connected_(other.is_connected_) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    Client& operator=(Client&&) = delete;

    void send(const std::string& bytes) const {
        static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    }

    bool is_connected() const { return is_connected_; }

  private:
    int fd_;
    bool is_connected_ = false;
};

std::string pipelined_requests(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";
    return text;
}

// The requests that the clients send, in turn. No client reads.
std::vector<std::string> hostile_requests() {
    const std::string post = "POST /v1/scale HTTP/1.1\r\nHost: x\r\n";
    const std::string deep = "{\"workers\":" + std::string(50'000, '[');
    return {
        "",
        "GET /v1/sta",
        "GET /readyz HTTP/1.1\r\nHost: x\r\nX-Big: " + std::string(60'000, 'x'),
        "GET /v1/status HTTP/1.1\r\n" + std::string(20'000, 'a') + ": b\r\n\r\n",
        post + "Content-Length: " + std::to_string(deep.size()) + "\r\n\r\n" + deep,
        post + "Content-Length: 99999999999999999999\r\n\r\n",
        post + "Content-Length: 50\r\n\r\n{\"workers\":",
        post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        post + "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"wo",
        "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n",
        pipelined_requests(2),
        pipelined_requests(120),
        std::string("\0\r\n\xff\x00\x01\r\n\r\n", 10),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
}

void raise_file_limit() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

// Connects hostile clients one after the other, on its own thread, and keeps the last `concurrent_connections` of them
// connected.
class Flood {
  public:
    Flood(ServerAddress server, pid_t supervisor) : server_(server), supervisor_(supervisor) {}
    ~Flood() { end(); }
    Flood(const Flood&) = delete;
    Flood& operator=(const Flood&) = delete;

    // Connects at least `count` clients, and continues until end() is called.
    void begin(int count) {
        thread_ = std::thread([this, count] {
            while (made_ < count || !is_over_) {
                make_one();
                made_.notify_all();
            }
        });
    }
    void wait_until_made(int count) const {
        for (int made = made_; made < count; made = made_) made_.wait(made);
    }
    void end() {
        is_over_ = true;
        if (thread_.joinable()) thread_.join();
    }
    // Closes all connections.
    void disconnect_all() { clients_.clear(); }

    int made() const { return made_; }
    int failed() const { return failed_; }
    std::int64_t largest_kib() const { return largest_kib_; }
    std::size_t most_descriptors() const { return most_descriptors_; }

  private:
    void make_one() {
        const int number = made_ + 1;
        if (clients_.size() == concurrent_connections) clients_.pop_front();
        const Client& client = clients_.emplace_back(server_);
        client.send(requests_[static_cast<std::size_t>(number) % requests_.size()]);
        if (!client.is_connected()) ++failed_;
        if (number % 500 == 0) {
            largest_kib_ = std::max(largest_kib_, resident_kib(supervisor_));
            most_descriptors_ = std::max(most_descriptors_, open_files_of(supervisor_).size());
        }
        made_ = number;
    }

    const ServerAddress server_;
    const pid_t supervisor_;
    const std::vector<std::string> requests_ = hostile_requests();
    std::deque<Client> clients_;
    std::atomic<int> made_ = 0;
    int failed_ = 0;
    std::int64_t largest_kib_ = 0;
    std::size_t most_descriptors_ = 0;
    std::atomic<bool> is_over_ = false;
    std::thread thread_;
};

class HostileClients : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        raise_file_limit();
        RunOptions options = short_run(shell_worker("if [ $HOLDFAST_GENERATION -gt 1 ]; then " + gate_.wait_command() +
                                                    "; fi; exec " + hello_http().front()));
        options.options.insert(options.options.end(), {"--admin", "127.0.0.1:0", "--ready-timeout", "10m"});
        options.environment = {"ASAN_OPTIONS=quarantine_size_mb=1"};
        run_ = std::make_unique<SupervisorProcess>(options);
        run_->wait_until_serving();
        const std::string text = run_->wait_for("admin_listening").text;
        admin_ = text.substr(text.rfind(' ') + 1);
        const std::string api = "unix:" + run_->runtime_directory() + "/api.sock";
        server_ = parse_server_address(is_on_api() ? api : admin_).value();
    }

    bool is_on_api() const { return std::string(GetParam()) == "Api"; }
    // The server that is not attacked answers meanwhile.
    void expect_other_server_answers() {
        if (is_on_api()) {
            EXPECT_EQ(http_get(admin_, "/readyz").status, "200");
        } else {
            EXPECT_TRUE(run().command("status").succeeded());
        }
    }
    // Lets the workers of the new generation start.
    void release_workers() { gate_.open(); }

    SupervisorProcess& run() { return *run_; }
    const ServerAddress& server() const { return server_; }

  private:
    Gate gate_;
    std::unique_ptr<SupervisorProcess> run_;
    std::string admin_;
    ServerAddress server_;
};

TEST_P(HostileClients, AffectNeitherTheServiceNorARestart) {
    const std::size_t descriptors_before = open_files_of(run().pid()).size();
    BackgroundLoad load(fresh_load(run().address()));
    load.wait_for_more(20);
    const auto restart = run().start_command("restart");
    run().wait_for("worker_spawned", of_generation(2));
    // The memory that the first clients need does not count as growth.
    Flood warm(server(), run().pid());
    warm.begin(concurrent_connections);
    warm.end();
    const std::int64_t before = std::max(warm.largest_kib(), resident_kib(run().pid()));
    warm.disconnect_all();

    const int count = total_connections();
    const std::int64_t began = monotonic_usec();
    Flood flood(server(), run().pid());
    flood.begin(count);
    flood.wait_until_made(count / 2);
    expect_other_server_answers();
    load.wait_for_more(50);
    release_workers();
    const CommandResult result = restart->wait();
    EXPECT_TRUE(result.succeeded()) << result.output;
    load.wait_for_more(50);
    flood.end();
    const std::int64_t took_ms = (monotonic_usec() - began) / 1'000;
    expect_flawless(load.stop());
    std::cout << GetParam() << ": " << flood.made() << " connections in " << took_ms << " ms, "
              << concurrent_connections << " at once; resident " << before << " KiB after the first "
              << concurrent_connections << ", " << flood.largest_kib() << " KiB at most since with "
              << flood.most_descriptors() << " descriptors, " << resident_kib(run().pid()) << " KiB now\n";
    EXPECT_EQ(warm.failed() + flood.failed(), 0);
    EXPECT_GE(flood.made(), count);
    EXPECT_LT(flood.largest_kib(), before + before / 4);
    // Although 2,000 clients want to connect.
    EXPECT_LT(flood.most_descriptors(), descriptors_before + 256);
    // Other clients are served again.
    flood.disconnect_all();
    EXPECT_TRUE(run().command("status").succeeded());
    EXPECT_EQ(run().stop(), ExitStatus{ExitedWith{0}});
}

INSTANTIATE_TEST_SUITE_P(Of, HostileClients, testing::Values("Api", "Admin"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace holdfast::test
