// Clients of the API socket and of --admin that mean harm, or know no better: what they cost is bounded, and neither
// the service nor a restart under way notices them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "operations.hpp"
#include "proc.hpp"
#include "rollout_scene.hpp"

namespace holdfast::test {
namespace {

// HOLDFAST_HOSTILE_CONNECTIONS=100000 runs the full number.
int connections_over_time() {
    const char* number = std::getenv("HOLDFAST_HOSTILE_CONNECTIONS");
    return number == nullptr ? 5'000 : std::stoi(number);
}
constexpr int at_once = 2'000;
constexpr std::int64_t largest_growth_kib = 16 * 1024;

std::int64_t resident_kib(pid_t pid) {
    const std::string status = status_of(pid);
    return std::stoll(status.substr(status.find("VmRSS:") + 6));
}

// A client's end of a connection: it waits for a place in the queue, and for nothing else.
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

    void say(const std::string& bytes) const {
        static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    }

    bool is_connected() const { return is_connected_; }

  private:
    int fd_;
    bool is_connected_ = false;
};

// What they say, one after the other.
std::vector<std::string> malice() {
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
        "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n",
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

class HostileClients : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        raise_file_limit();
        RunOptions options = short_run(shell_worker("if [ $HOLDFAST_GENERATION -gt 1 ]; then " + gate_.words() +
                                                    "; fi; exec " + hello_http().front()));
        options.options.insert(options.options.end(), {"--admin", "127.0.0.1:0"});
        options.environment = {"ASAN_OPTIONS=quarantine_size_mb=1"};
        run_ = std::make_unique<Supervised>(options);
        run_->wait_until_serving();
        const std::string text = run_->wait_for("admin_listening").text;
        const bool is_api = std::string(GetParam()) == "Api";
        address_ = is_api ? "unix:" + run_->runtime_directory() + "/api.sock" : text.substr(text.rfind(' ') + 1);
        server_ = parse_server_address(address_).value();
    }

    // The workers of the new generation wait for this.
    void let_them_start() { gate_.open(); }

    Supervised& run() { return *run_; }
    Client connect() const { return Client(server_); }

  private:
    Gate gate_;
    std::unique_ptr<Supervised> run_;
    std::string address_;
    ServerAddress server_;
};

TEST_P(HostileClients, CostNobodyAnything) {
    BackgroundLoad load(fresh_load(run().address()));
    load.wait_for_more(20);
    const auto restart = run().start_command("restart");
    run().wait_for("worker_spawned", of_generation(2));
    const std::vector<std::string> words = malice();
    // What a first of each kind needs is no growth.
    for (const std::string& word : words) connect().say(word);
    const std::int64_t before = resident_kib(run().pid());

    int connected = 0;
    std::vector<Client> crowd;
    for (int i = 0; i < at_once; ++i) {
        crowd.push_back(connect());
        crowd.back().say(words[static_cast<std::size_t>(i) % words.size()]);
        connected += crowd.back().is_connected() ? 1 : 0;
    }
    load.wait_for_more(50);
    const std::int64_t crowded = resident_kib(run().pid());
    crowd.clear();
    for (int i = 0; i < connections_over_time(); ++i) {
        const Client client = connect();
        client.say(words[static_cast<std::size_t>(i) % words.size()]);
        connected += client.is_connected() ? 1 : 0;
    }
    load.wait_for_more(50);
    let_them_start();
    const CommandResult result = restart->wait();
    EXPECT_TRUE(result.succeeded()) << result.output;
    expect_flawless(load.stop());
    const std::int64_t after = resident_kib(run().pid());
    std::cout << GetParam() << ": resident " << before << " KiB before, " << crowded << " KiB with " << at_once
              << " connections, " << after << " KiB after " << connections_over_time() << " more\n";
    EXPECT_EQ(connected, at_once + connections_over_time());
    EXPECT_LT(crowded - before, largest_growth_kib);
    EXPECT_LT(after - before, largest_growth_kib);
    // And friends are heard again.
    EXPECT_TRUE(run().command("status").succeeded());
    EXPECT_EQ(run().stop(), ExitStatus{ExitedWith{0}});
}

INSTANTIATE_TEST_SUITE_P(Of, HostileClients, testing::Values("Api", "Admin"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace holdfast::test
