#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <holdfast/worker.hpp>
#include <initializer_list>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "fake_supervisor.hpp"

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

bool can_connect(const Listener& listener) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &length);
    const int fd = ::socket(address.ss_family, SOCK_STREAM, 0);
    const bool connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), length) == 0;
    ::close(fd);
    return connected;
}

TEST(Listen, BindsInAStandaloneWorker) {
    Worker worker;
    for (const char* address : {"0", ":0", "127.0.0.1:0", "[::1]:0", "unix:@holdfast-sdk-listener-test"}) {
        const Listener listener = worker.listen("http", address);
        EXPECT_TRUE(can_connect(listener)) << address;
        EXPECT_EQ(listener.origin(), Origin::bound_here);
        EXPECT_EQ(listener.name(), "http");
        EXPECT_EQ(::fcntl(listener.fd(), F_GETFD), FD_CLOEXEC);
        EXPECT_EQ(::fcntl(listener.fd(), F_GETFL) & O_NONBLOCK, 0);
    }
}

TEST(Listen, ServesBothAddressFamiliesForAPort) {
    Worker worker;
    const Listener listener = worker.listen("http", ":0");
    ASSERT_TRUE(listener.address().starts_with("[::]:")) << listener.address();
    const int port = std::stoi(listener.address().substr(5));
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(static_cast<in_port_t>(port));
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&v4), sizeof v4), 0);
    ::close(fd);
}

TEST(Listen, ReplacesAStaleUnixPathButNotOneInUse) {
    const auto path = std::filesystem::temp_directory_path() / ("holdfast-sdk-" + std::to_string(::getpid()) + ".sock");
    Worker worker;
    { const Listener gone = worker.listen("http", "unix:" + path.string()); }
    EXPECT_TRUE(std::filesystem::exists(path));
    {
        const Listener in_use = worker.listen("http", "unix:" + path.string());
        EXPECT_TRUE(can_connect(in_use));
        EXPECT_THROW(worker.listen("http", "unix:" + path.string()), std::system_error);
    }
    std::filesystem::remove(path);
}

TEST(Listen, ExplainsTheFormOfAnAddress) {
    Worker worker;
    for (const char* address : {"", ":", "http", ":70000", ":-1", "1.2.3:80", "::1:80", "[::1]", "unix:", "unix:@"}) {
        EXPECT_THAT(misuse([&] { worker.listen("http", address); }), HasSubstr("an address is a port (8080)"));
    }
    EXPECT_THROW(worker.listen("http", "unix:/" + std::string(200, 'x')), std::invalid_argument);
}

TEST(Listen, ReportsAPortInUse) {
    Worker worker;
    const Listener first = worker.listen("http", "127.0.0.1:0");
    try {
        worker.listen("http", first.address());
        ADD_FAILURE() << "bound twice";
    } catch (const std::system_error& error) {
        EXPECT_THAT(error.what(), HasSubstr("cannot bind " + first.address()));
    }
}

// Forks a child with inherited sockets at 3, 4, ... as a supervisor passes them, and runs `body` in it. The child has
// no control pipe; LISTEN_PID is its own pid.
class Inheritance {
  public:
    Inheritance(std::vector<std::string> addresses, std::string names)
        : addresses_(std::move(addresses)), names_(std::move(names)) {}

    int run(const std::function<int(Worker&)>& body) const {
        const pid_t child = ::fork();
        if (child == 0) std::_Exit(in_child(body));
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

  private:
    int in_child(const std::function<int(Worker&)>& body) const {
        ::close_range(3, ~0U, 0);
        for (const std::string& address : addresses_) {
            sockaddr_in name{};
            name.sin_family = AF_INET;
            ::inet_pton(AF_INET, address.c_str(), &name.sin_addr);
            const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
            if (::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) std::abort();
            if (::listen(fd, 16) != 0) std::abort();
        }
        ::setenv("LISTEN_FDS", std::to_string(addresses_.size()).c_str(), 1);
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        ::setenv("LISTEN_FDNAMES", names_.c_str(), 1);
        Worker worker;
        return body(worker);
    }

    std::vector<std::string> addresses_;
    std::string names_;
};

TEST(InheritedListener, IsFoundByName) {
    const Inheritance two({"127.0.0.1", "127.0.0.2"}, "admin:http");
    EXPECT_EQ(two.run([](Worker& worker) {
        const Listener http = worker.listen("http", ":8080");
        const Listener admin = worker.listener("admin");
        const bool right = http.fd() == 4 && admin.fd() == 3 && http.origin() == Origin::inherited &&
                           http.address().starts_with("127.0.0.2:");
        return right && ::fcntl(http.fd(), F_GETFD) == FD_CLOEXEC && ::getenv("LISTEN_FDS") == nullptr ? 0 : 1;
    }),
              0);
}

TEST(InheritedListener, IsFoundByAddress) {
    const Inheritance two({"0.0.0.0", "127.0.0.2"}, "0.0.0.0_1:127.0.0.2_2");
    EXPECT_EQ(two.run([](Worker& worker) {
        const auto port_of = [](int fd) {
            sockaddr_in name{};
            socklen_t length = sizeof name;
            ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &length);
            return std::to_string(ntohs(name.sin_port));
        };
        const Listener any = worker.listen("http", ":" + port_of(3));
        const Listener one = worker.listener("127.0.0.2:" + port_of(4));
        return any.fd() == 3 && any.name() == "http" && one.fd() == 4 ? 0 : 1;
    }),
              0);
}

// "app.socket" is what systemd calls the sockets of app.socket if the unit gives no name.
TEST(InheritedListener, WithoutAGivenNameIsFoundAsTheOnlyOne) {
    for (const char* name : {"", "unknown", "stored", "app.socket", "127.0.0.1_0", "_8080", "8080", "fd_3", "[__1]_0",
                             "unix_/run/app.sock"}) {
        const Inheritance one({"127.0.0.1"}, name);
        EXPECT_EQ(one.run([](Worker& worker) { return worker.listen("http", ":8080").fd() == 3 ? 0 : 1; }), 0) << name;
    }
}

TEST(InheritedListener, IsTheOnlyOneWhateverItsName) {
    const Inheritance one({"127.0.0.1"}, "whatever");
    EXPECT_EQ(one.run([](Worker& worker) { return worker.listener().name() == "whatever" ? 0 : 1; }), 0);
}

// Whether the text contains all parts.
bool says_all(const std::string& text, std::initializer_list<std::string_view> parts) {
    return std::ranges::all_of(parts, [&](std::string_view part) { return text.find(part) != std::string::npos; });
}

TEST(InheritedListener, WithAnotherNameIsNeverTaken) {
    for (const char* name : {"http", "web_8080", "v1.0_80", "a.b-c"}) {
        const Inheritance one({"127.0.0.1"}, name);
        EXPECT_EQ(one.run([](Worker& worker) {
            sockaddr_in bound{};
            socklen_t length = sizeof bound;
            ::getsockname(3, reinterpret_cast<sockaddr*>(&bound), &length);
            const std::string there = "127.0.0.1:" + std::to_string(ntohs(bound.sin_port));
            for (const std::string& address : {std::string("127.0.0.1:9900"), std::string(":0"), there}) {
                const std::string text = misuse([&] { worker.listen("admin", address); });
                if (!says_all(text, {"start the worker with --listen admin=" + address})) return 1;
            }
            return 0;
        }),
                  0)
            << name;
    }
}

// The listener that everybody reaches never serves what the program keeps to the machine.
TEST(InheritedListener, IsNotServedFurtherThanTheProgramWants) {
    const Inheritance one({"0.0.0.0"}, "0.0.0.0_0");
    EXPECT_EQ(one.run([](Worker& worker) {
        const std::string admin = misuse([&] { worker.listen("admin", "127.0.0.1:9900"); });
        const std::string local = misuse([&] { worker.listen("admin", "unix:/run/admin.sock"); });
        if (!says_all(admin, {"--listen admin=127.0.0.1:9900", "0.0.0.0:"})) return 1;
        if (!says_all(local, {"--listen admin=unix:/run/admin.sock"})) return 2;
        return worker.listen("http", ":9901").fd() == 3 ? 0 : 3;
    }),
              0);
}

TEST(InheritedListener, ThatIsMissingIsNotBoundByTheWorker) {
    const Inheritance one({"127.0.0.1"}, "http");
    EXPECT_EQ(one.run([](Worker& worker) {
        const Listener http = worker.listen("http", ":8080");
        const std::string admin = misuse([&] { worker.listen("admin", "127.0.0.1:0"); });
        const std::string again = misuse([&] { worker.listen("http", "127.0.0.1:0"); });
        if (!says_all(admin, {"http (127.0.0.1:", "start the worker with --listen admin=127.0.0.1:0"})) return 1;
        return says_all(again, {"taken as http"}) ? 0 : 2;
    }),
              0);
}

TEST(InheritedListener, IsMissingUnderASupervisorThatPassesNone) {
    const FakeSupervisor supervisor;
    ::unsetenv("LISTEN_FDS");
    ::close(3);
    Worker worker;
    EXPECT_THAT(misuse([&] { worker.listen("admin", "127.0.0.1:0"); }),
                HasSubstr("among the inherited ones: none; start the worker with --listen admin=127.0.0.1:0"));
}

TEST(InheritedListener, IsListedWhenNoneMatches) {
    const Inheritance two({"127.0.0.1", "127.0.0.2"}, "admin:http");
    EXPECT_EQ(two.run([](Worker& worker) {
        const std::string unknown = misuse([&] { worker.listen("htpp", ":1"); });
        const std::string several = misuse([&] { worker.listener(); });
        const std::string absent = misuse([&] { worker.listener("x"); });
        for (const std::string& text : {unknown, several, absent}) {
            if (text.find("admin (127.0.0.1:") == std::string::npos || text.find("http (") == std::string::npos)
                return 1;
        }
        return unknown.find("--listen htpp=:1") == std::string::npos ? 2 : 0;
    }),
              0);
}

TEST(InheritedListener, OfAnotherProcessIsIgnored) {
    const Inheritance one({"127.0.0.1"}, "http");
    EXPECT_EQ(one.run([](Worker& worker) {
        ::setenv("LISTEN_FDS", "1", 1);  // meant for another process, set after this worker took its own
        return ::getenv("LISTEN_FDS") != nullptr && worker.listener().fd() == 3 ? 0 : 1;
    }),
              0);
    ::setenv("LISTEN_PID", "1", 1);
    ::setenv("LISTEN_FDS", "1", 1);
    {
        Worker worker;
        EXPECT_EQ(worker.listen("http", "127.0.0.1:0").origin(), Origin::bound_here);
        EXPECT_STREQ(::getenv("LISTEN_FDS"), "1");
    }
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
}

}  // namespace
}  // namespace holdfast::testing
