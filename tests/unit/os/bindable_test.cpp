// Whether an address could be bound now, without keeping it.

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

// The text of the bind problem; "" if there is none.
std::string bind_problem_text(const std::string& address) {
    const auto found = find_bind_problem(parse_listen_address(address).value());
    return found ? found->text : "";
}

// The pids of the processes that use the address.
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

TEST(BindProblem, IsNoneForAFreePortAndLeavesItFree) {
    const std::string address = free_address();
    EXPECT_EQ(bind_problem_text(address), "");
    EXPECT_EQ(bind_problem_text(address), "");
    EXPECT_TRUE(serves(open_listener(address)));
}

TEST(BindProblem, NamesTheProcessThatListensThere) {
    const Listener listener = open_listener("127.0.0.1:0");
    EXPECT_EQ(bind_problem_text(listener.bound), "Address already in use");
    EXPECT_THAT(holders_of(listener.bound), testing::Contains(::getpid()));
    EXPECT_TRUE(serves(listener));
}

TEST(BindProblem, NamesTheProcessThatListensOnTheWildcardAddress) {
    const Listener listener = open_listener(":0");
    EXPECT_EQ(bind_problem_text(at_port_of(listener, "127.0.0.1")), "Address already in use");
}

TEST(BindProblem, OfTheWildcardAddressNamesAProcessThatListensOnOneAddress) {
    const Listener listener = open_listener("127.0.0.1:0");
    EXPECT_EQ(bind_problem_text(at_port_of(listener, "")), "Address already in use");
    EXPECT_EQ(bind_problem_text(at_port_of(listener, "") + "?v6only"), "");
}

TEST(BindProblem, ReportsAnAddressOfNoLocalInterface) {
    EXPECT_EQ(bind_problem_text("192.0.2.1:8080"), "Cannot assign requested address");
    EXPECT_EQ(holders_of("192.0.2.1:8080"), std::vector<int>{});
}

// Like `run`, the check ignores connections of the previous server in TIME_WAIT.
TEST(BindProblem, IsNoneWhileConnectionsOfThePreviousServerAreInTimeWait) {
    std::string address;
    Client client;
    {
        const Listener listener = open_listener("127.0.0.1:0");
        address = listener.bound;
        client = connect_to(listener);
        const UniqueFd served(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        ASSERT_TRUE(served);
    }
    EXPECT_EQ(bind_problem_text(address), "");
}

class BindProblemAtAPath : public testing::Test {
  protected:
    std::string address(const std::string& query = "") const { return "unix:" + path() + query; }
    std::string path() const { return folder / "web.sock"; }

    TemporaryFolder folder;
};

TEST_F(BindProblemAtAPath, IsNoneForAFreePathAndCreatesNoFile) {
    EXPECT_EQ(bind_problem_text(address()), "");
    EXPECT_FALSE(exists(path()));
}

TEST_F(BindProblemAtAPath, NamesTheProcessThatListensThere) {
    const Listener listener = open_listener(address());
    EXPECT_EQ(bind_problem_text(address()), "Address already in use");
    EXPECT_THAT(holders_of(address()), testing::ElementsAre(::getpid()));
    EXPECT_TRUE(serves(listener));
}

TEST_F(BindProblemAtAPath, IsNoneForAStaleSocketOfADeadServer) {
    {
        const Listener listener = open_listener(address());
        ::rename(path().c_str(), (folder / "stale").c_str());  // the destructor does not remove a renamed socket file
    }
    ::rename((folder / "stale").c_str(), path().c_str());
    ASSERT_TRUE(exists(path()));
    EXPECT_EQ(bind_problem_text(address()), "");
    EXPECT_TRUE(exists(path()));
}

TEST_F(BindProblemAtAPath, ReportsAFileThatIsNotASocket) {
    std::ofstream(path()) << "precious";
    EXPECT_EQ(bind_problem_text(address()), "the path exists and is not a socket");
    EXPECT_TRUE(exists(path()));
}

TEST_F(BindProblemAtAPath, ReportsAMissingDirectory) {
    EXPECT_EQ(bind_problem_text("unix:" + (folder / "none") + "/web.sock"),
              (folder / "none") + "/: No such file or directory");
}

TEST_F(BindProblemAtAPath, ReportsADirectoryWithoutWritePermission) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can change the user";
    ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
    expect_in_child([this] {
        ASSERT_EQ(::setresuid(nobody, nobody, nobody), 0);
        EXPECT_EQ(bind_problem_text(address()), folder.path() + "/: Permission denied");
    });
}

TEST_F(BindProblemAtAPath, ReportsAnUnknownOwner) {
    EXPECT_EQ(bind_problem_text(address("?user=nobody")), "");
    EXPECT_THAT(bind_problem_text(address("?user=no-such-user")), HasSubstr("no-such-user"));
    EXPECT_THAT(bind_problem_text(address("?group=no-such-group")), HasSubstr("no-such-group"));
}

TEST(BindProblemAtAnAbstractName, NamesTheProcessThatListensThere) {
    const std::string address = "unix:@holdfast-bindable-" + std::to_string(::getpid());
    EXPECT_EQ(bind_problem_text(address), "");
    const Listener listener = open_listener(address);
    EXPECT_EQ(bind_problem_text(address), "Address already in use");
    EXPECT_THAT(holders_of(address), testing::Contains(::getpid()));
}

TEST(BindProblemOfADescriptor, ReportsADescriptorThatIsNotAListener) {
    const Listener listener = open_listener("127.0.0.1:0");
    EXPECT_EQ(bind_problem_text("fd:" + std::to_string(listener.fd.get())), "");
    const UniqueFd bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind_problem_text("fd:" + std::to_string(bound.get())), "the socket is not listening");
    const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(bind_problem_text("fd:" + std::to_string(file.get())), "Socket operation on non-socket");
    EXPECT_EQ(bind_problem_text("fd:1000000"), "Bad file descriptor");
}

TEST(BindProblemOfTheServiceManager, IsNotKnownBeforeTheServiceManagerStartsUs) {
    EXPECT_EQ(bind_problem_text("systemd"), "");
}

}  // namespace
}  // namespace holdfast::os
