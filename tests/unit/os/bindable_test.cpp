// Whether an address could be had now, without having it.

#include "os/bindable.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "socket_support.hpp"

namespace holdfast::os {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr uid_t nobody = 65534;

// What is in the way, in words; "" where nothing is.
std::string words_about(const std::string& address) {
    const auto found = find_bind_problem(parse_listen_address(address).value());
    return found ? found->text : "";
}

// The pids of those who are in the way.
std::vector<int> holders_of(const std::string& address) {
    const auto found = find_bind_problem(parse_listen_address(address).value());
    std::vector<int> pids;
    if (found) {
        for (const SocketHolder& holder : found->holders) pids.push_back(holder.pid);
    }
    return pids;
}

std::string at_port_of(const Listener& listener, const std::string& host) {
    return host + ":" + std::to_string(listener.port);
}

std::string free_address() {
    const Listener listener = open_listener("127.0.0.1:0");
    return at_port_of(listener, "127.0.0.1");
}

TEST(BindProblem, IsNoneAtAFreePortWhichStaysFree) {
    const std::string address = free_address();
    EXPECT_EQ(words_about(address), "");
    EXPECT_EQ(words_about(address), "");
    EXPECT_TRUE(serves(open_listener(address)));
}

TEST(BindProblem, IsWhoeverListensThere) {
    const Listener listener = open_listener("127.0.0.1:0");
    EXPECT_EQ(words_about(listener.bound), "Address already in use");
    EXPECT_THAT(holders_of(listener.bound), testing::Contains(::getpid()));
    EXPECT_TRUE(serves(listener));
}

TEST(BindProblem, IsWhoeverListensOnEveryAddress) {
    const Listener listener = open_listener(":0");
    EXPECT_EQ(words_about(at_port_of(listener, "127.0.0.1")), "Address already in use");
}

TEST(BindProblem, OnEveryAddressIsWhoeverListensOnOne) {
    const Listener listener = open_listener("127.0.0.1:0");
    EXPECT_EQ(words_about(at_port_of(listener, "")), "Address already in use");
    EXPECT_EQ(words_about(at_port_of(listener, "") + "?v6only"), "");
}

TEST(BindProblem, IsAnAddressThatIsNotOurs) {
    EXPECT_EQ(words_about("192.0.2.1:8080"), "Cannot assign requested address");
    EXPECT_EQ(holders_of("192.0.2.1:8080"), std::vector<int>{});
}

// As run, it does not wait for the ends of the last server's connections.
TEST(BindProblem, IsNoneWhereConnectionsOfTheLastServerStillEnd) {
    std::string address;
    Client client;
    {
        const Listener listener = open_listener("127.0.0.1:0");
        address = listener.bound;
        client = connect_to(listener);
        const UniqueFd served(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        ASSERT_TRUE(served);
    }
    EXPECT_EQ(words_about(address), "");
}

class BindProblemAtAPath : public testing::Test {
  protected:
    std::string address(const std::string& query = "") const { return "unix:" + path() + query; }
    std::string path() const { return folder / "web.sock"; }

    TemporaryFolder folder;
};

TEST_F(BindProblemAtAPath, IsNoneWhereNothingLiesAndNothingIsLeft) {
    EXPECT_EQ(words_about(address()), "");
    EXPECT_FALSE(exists(path()));
}

TEST_F(BindProblemAtAPath, IsWhoeverListensThere) {
    const Listener listener = open_listener(address());
    EXPECT_EQ(words_about(address()), "Address already in use");
    EXPECT_THAT(holders_of(address()), testing::ElementsAre(::getpid()));
    EXPECT_TRUE(serves(listener));
}

TEST_F(BindProblemAtAPath, IsNoStaleSocketOfADeadServer) {
    {
        const Listener listener = open_listener(address());
        ::rename(path().c_str(), (folder / "stale").c_str());  // its end does not take it along
    }
    ::rename((folder / "stale").c_str(), path().c_str());
    ASSERT_TRUE(exists(path()));
    EXPECT_EQ(words_about(address()), "");
    EXPECT_TRUE(exists(path()));
}

TEST_F(BindProblemAtAPath, IsAFileThatIsNoSocket) {
    std::ofstream(path()) << "precious";
    EXPECT_EQ(words_about(address()), "something that is no socket lies there");
    EXPECT_TRUE(exists(path()));
}

TEST_F(BindProblemAtAPath, IsAFolderThatIsNotThere) {
    EXPECT_EQ(words_about("unix:" + (folder / "none") + "/web.sock"),
              (folder / "none") + "/: No such file or directory");
}

TEST_F(BindProblemAtAPath, IsAFolderThatWeMayNotWriteTo) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
    ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
    expect_in_child([this] {
        ASSERT_EQ(::setresuid(nobody, nobody, nobody), 0);
        EXPECT_EQ(words_about(address()), folder.path() + "/: Permission denied");
    });
}

TEST_F(BindProblemAtAPath, IsAnOwnerWhomNobodyKnows) {
    EXPECT_EQ(words_about(address("?user=nobody")), "");
    EXPECT_THAT(words_about(address("?user=no-such-user")), HasSubstr("no-such-user"));
    EXPECT_THAT(words_about(address("?group=no-such-group")), HasSubstr("no-such-group"));
}

TEST(BindProblemAtAnAbstractName, IsWhoeverListensThere) {
    const std::string address = "unix:@holdfast-bindable-" + std::to_string(::getpid());
    EXPECT_EQ(words_about(address), "");
    const Listener listener = open_listener(address);
    EXPECT_EQ(words_about(address), "Address already in use");
    EXPECT_THAT(holders_of(address), testing::Contains(::getpid()));
}

TEST(BindProblemOfADescriptor, IsThatItIsNoListener) {
    const Listener listener = open_listener("127.0.0.1:0");
    EXPECT_EQ(words_about("fd:" + std::to_string(listener.fd.get())), "");
    const UniqueFd bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(words_about("fd:" + std::to_string(bound.get())), "it does not listen");
    const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(words_about("fd:" + std::to_string(file.get())), "Socket operation on non-socket");
    EXPECT_EQ(words_about("fd:1000000"), "Bad file descriptor");
}

TEST(BindProblemOfTheServiceManager, IsNotKnownBeforeItStartsUs) { EXPECT_EQ(words_about("systemd"), ""); }

}  // namespace
}  // namespace holdfast::os
