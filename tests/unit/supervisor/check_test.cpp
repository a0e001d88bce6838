// `holdfast check` reports everything that a start would find, and starts nothing.

#include "check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include "os/unique_fd.hpp"

namespace holdfast {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

struct CheckResult {
    int status = -1;
    std::string text;
};

class Check : public testing::Test {
  protected:
    Check() {
        std::string name = "/tmp/check-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    ~Check() override { fs::remove_all(directory_); }

    std::string path(const std::string& name) const { return directory_ + "/" + name; }

    // Runs the command with these options; the directories belong to no running supervisor.
    CheckResult run_check(const std::vector<std::string>& options, const std::string& command = "/bin/sleep") const {
        std::vector<std::string> words{"check",     "--name",      "web",        "--runtime-dir",
                                       path("run"), "--state-dir", path("state")};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"--", command, path("started")});
        const cli::Command parsed = cli::parse(words);
        const auto* wanted = std::get_if<cli::CheckCommand>(&parsed);
        if (wanted == nullptr) return {};
        std::ostringstream out;
        const int status = check(*wanted, out);
        return {status, out.str()};
    }

    void expect_ok(const std::vector<std::string>& options, const std::string& words) const {
        const CheckResult result = run_check(options);
        EXPECT_EQ(result.status, 0) << result.text;
        EXPECT_THAT(result.text, HasSubstr(words));
    }
    void expect_problem(const std::vector<std::string>& options, const std::string& words) const {
        const CheckResult result = run_check(options);
        EXPECT_EQ(result.status, 1) << result.text;
        EXPECT_THAT(result.text, HasSubstr(words));
    }

  private:
    std::string directory_;
};

class HeldPort {
  public:
    HeldPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in place{};
        place.sin_family = AF_INET;
        place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof place;
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&place), size), 0);
        EXPECT_EQ(::listen(socket_.get(), 1), 0);
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&place), &size), 0);
        address_ = "127.0.0.1:" + std::to_string(ntohs(place.sin_port));
    }
    const std::string& address() const { return address_; }

  private:
    os::UniqueFd socket_;
    std::string address_;
};

TEST_F(Check, ReportsWhatItFoundForAValidConfiguration) {
    const CheckResult result = run_check({"--listen", "127.0.0.1:0", "--chdir", "/tmp", "--grace-period", "20s"});
    EXPECT_EQ(result.status, 0) << result.text;
    EXPECT_THAT(result.text,
                AllOf(HasSubstr("the name is web"), HasSubstr("/sleep"), HasSubstr("the directory /tmp exists"),
                      HasSubstr("--listen 127.0.0.1:0 is available"), HasSubstr("a stop takes ")));
}

TEST_F(Check, StartsNothingAndCreatesNoFiles) {
    EXPECT_EQ(run_check({"--listen", "unix:" + path("web.sock")}, "/usr/bin/touch").status, 0);
    for (const char* const name : {"started", "run", "state", "web.sock"}) EXPECT_FALSE(fs::exists(path(name))) << name;
}

TEST_F(Check, FindsAMissingCommand) {
    const CheckResult result = run_check({}, path("nowhere"));
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.text, HasSubstr(path("nowhere")));
}

TEST_F(Check, FindsAMissingUserDirectoryAndEnvironmentFile) {
    expect_problem({"--user", "no-such-user"}, "no-such-user");
    expect_problem({"--chdir", path("none")}, path("none"));
    expect_problem({"--env-file", path("none.env")}, path("none.env"));
    std::ofstream(path("some.env")) << "KEY=value\n";
    expect_ok({"--env-file", path("some.env")}, "the environment file " + path("some.env") + " can be read");
}

TEST_F(Check, NamesTheProcessThatUsesAnAddress) {
    const HeldPort held;
    const std::string holder = "(pid " + std::to_string(::getpid()) + ")";
    expect_problem({"--listen", held.address()}, "cannot listen on " + held.address() + ": Address already in use");
    expect_problem({"--listen", held.address()}, holder);
    expect_problem({"--listen", held.address()}, "stop it or choose another address");
    expect_problem({"--admin", held.address()}, holder);
    expect_ok({"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, "--admin 127.0.0.1:0 is available");
}

TEST_F(Check, DoesNotCheckSocketsOfTheServiceManager) {
    expect_ok({"--listen", "systemd"}, "is known only when the service manager starts it");
}

TEST_F(Check, FindsInconsistentTimes) {
    expect_ok({"--settle", "60s", "--ready-timeout", "60s"}, "--settle is not shorter than --ready-timeout");
    expect_ok({"--watchdog", "999ms"}, "--watchdog is shorter than 1s");
    const CheckResult good =
        run_check({"--probation", "20m", "--max-pause", "10m", "--settle", "59s", "--watchdog", "1s"});
    EXPECT_EQ(good.status, 0) << good.text;
    EXPECT_THAT(good.text, AllOf(Not(HasSubstr("is not shorter")), Not(HasSubstr("is shorter"))));
}

}  // namespace
}  // namespace holdfast
