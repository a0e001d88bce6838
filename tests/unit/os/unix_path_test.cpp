#include "os/unix_path.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "socket_support.hpp"

namespace holdfast::os {
namespace {

using testing::HasSubstr;

class UnixPathTest : public testing::Test {
  protected:
    const TemporaryFolder folder_;
    const std::string path_ = folder_ / "app.sock";
    const std::string spare_ = folder_ / (".app.sock.holdfast-" + std::to_string(::getpid()));

    mode_t mode() const {
        struct stat status {};
        return ::lstat(path_.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
    }
    // Creates a stale socket file at `path`: no process has the socket open.
    static void leave_stale(const std::string& path) {
        const UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        const SocketAddress socket_address = unix_address(path).value();
        ASSERT_EQ(::bind(fd.get(), socket_address.get(), socket_address.length), 0);
        ASSERT_EQ(::listen(fd.get(), 1), 0);
    }
};

TEST_F(UnixPathTest, IsBoundAtItsRealNameAndRemovedWithItsListener) {
    {
        const Listener listener = open_listener("unix:" + path_);
        EXPECT_EQ(listener.bound, "unix:" + path_);
        EXPECT_TRUE(serves(listener));
        EXPECT_EQ(inode_of(spare_), inode_of(path_));
    }
    EXPECT_FALSE(exists(path_));
    EXPECT_FALSE(exists(spare_));
}

TEST_F(UnixPathTest, HasTheRequestedModeWhateverTheUmask) {
    const mode_t before = ::umask(077);
    {
        const Listener listener = open_listener("unix:" + path_ + "?mode=0666");
        EXPECT_EQ(mode(), 0666U);
    }
    {
        const Listener listener = open_listener("unix:" + path_);
        EXPECT_EQ(mode(), 0700U);
    }
    ::umask(before);
}

TEST_F(UnixPathTest, GetsTheRequestedUserAndGroup) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can change the owner";
    const Listener listener = open_listener("unix:" + path_ + "?user=nobody&group=12345");
    struct stat status {};
    ASSERT_EQ(::lstat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 65534U);
    EXPECT_EQ(status.st_gid, 12345U);
}

TEST_F(UnixPathTest, OfAnUnknownUserLeavesNoFile) {
    EXPECT_THAT(refusal_of("unix:" + path_ + "?user=no-such-user"), HasSubstr("no-such-user"));
    EXPECT_FALSE(exists(path_));
    EXPECT_FALSE(exists(spare_));
}

TEST_F(UnixPathTest, ThatIsStaleIsReplaced) {
    leave_stale(path_);
    ASSERT_EQ(connect_to_path(path_).error_number, ECONNREFUSED);
    EXPECT_TRUE(serves(open_listener("unix:" + path_)));
}

TEST_F(UnixPathTest, OfALiveServerIsRefusedWithItsPid) {
    const Listener live = open_listener("unix:" + path_);
    EXPECT_EQ(refusal_of("unix:" + path_), "cannot listen on unix:" + path_ +
                                               ": another server is listening on this path: os_test (pid " +
                                               std::to_string(::getpid()) + ")");
    EXPECT_TRUE(exists(path_));
    EXPECT_TRUE(exists(spare_)) << "its hard link must not be taken for a stale one";
}

TEST_F(UnixPathTest, WithAFullQueueCountsAsLive) {
    const Listener live = open_listener("unix:" + path_ + "?backlog=1");
    const Client first = connect_to_path(path_);
    const Client second = connect_to_path(path_);
    EXPECT_THAT(refusal_of("unix:" + path_), HasSubstr("another server is listening on this path"));
}

TEST_F(UnixPathTest, OfADatagramSocketCountsAsLive) {
    const UniqueFd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const SocketAddress socket_address = unix_address(path_).value();
    ASSERT_EQ(::bind(fd.get(), socket_address.get(), socket_address.length), 0);
    EXPECT_THAT(refusal_of("unix:" + path_), HasSubstr("another server is listening on this path"));
    EXPECT_TRUE(exists(path_));
}

TEST_F(UnixPathTest, ThatIsNotASocketIsNotReplaced) {
    std::ofstream(path_) << "precious";
    EXPECT_THAT(refusal_of("unix:" + path_), HasSubstr("the path exists and is not a socket"));
    EXPECT_TRUE(exists(path_));
    ::unlink(path_.c_str());
    ASSERT_EQ(::symlink("/dev/null", path_.c_str()), 0);
    EXPECT_THAT(refusal_of("unix:" + path_), HasSubstr("the path exists and is not a socket"));
}

TEST_F(UnixPathTest, InAMissingDirectoryIsAnError) {
    EXPECT_EQ(refusal_of("unix:" + (folder_ / "no/app.sock")), "cannot listen on unix:" + (folder_ / "no/app.sock") +
                                                                   ": cannot bind the path: No such file or directory");
}

TEST_F(UnixPathTest, ThatAWorkerUnlinkedIsReportedAndRestored) {
    Listener listener = open_listener("unix:" + path_);
    const std::uint64_t inode = inode_of(path_);
    listener.path->restore();
    ASSERT_FALSE(is_readable_now(listener.path->watch_fd()));
    ::unlink(path_.c_str());
    ASSERT_TRUE(becomes_readable(listener.path->watch_fd()));
    EXPECT_EQ(listener.path->restore(), UnixPath::State::restored);
    EXPECT_EQ(inode_of(path_), inode);
    EXPECT_TRUE(serves(listener));
    EXPECT_EQ(listener.path->restore(), UnixPath::State::present);
    EXPECT_FALSE(is_readable_now(listener.path->watch_fd()));
}

TEST_F(UnixPathTest, CausesNoWakeUpForOtherFiles) {
    Listener listener = open_listener("unix:" + path_);
    listener.path->restore();
    std::ofstream(folder_ / "other") << "x";
    ::unlink((folder_ / "other").c_str());
    const Client client = connect_to_path(path_);
    EXPECT_FALSE(is_readable_now(listener.path->watch_fd()));
}

TEST_F(UnixPathTest, ThatAnotherFileHasTakenIsNeitherReplacedNorRemoved) {
    {
        Listener listener = open_listener("unix:" + path_);
        ::unlink(path_.c_str());
        std::ofstream(path_) << "theirs";
        EXPECT_EQ(listener.path->restore(), UnixPath::State::taken);
    }
    std::string content;
    std::ifstream(path_) >> content;
    EXPECT_EQ(content, "theirs");
    EXPECT_FALSE(exists(spare_));
}

TEST_F(UnixPathTest, IsLostIfItsHardLinkIsRemovedAsWell) {
    Listener listener = open_listener("unix:" + path_);
    ::unlink(path_.c_str());
    ::unlink(spare_.c_str());
    EXPECT_EQ(listener.path->restore(), UnixPath::State::lost);
    EXPECT_EQ(listen_again(listener), Revival::reopened);
    EXPECT_TRUE(serves(listener));
}

TEST_F(UnixPathTest, WithoutAHardLinkIsRefusedByShutdown) {
    Listener listener = open_listener("unix:" + path_);
    ::unlink(spare_.c_str());
    ASSERT_TRUE(refuse(listener));
    EXPECT_EQ(connect_to_path(path_).error_number, ECONNREFUSED);
    EXPECT_EQ(listen_again(listener), Revival::reopened);
    EXPECT_TRUE(serves(listener));
}

TEST_F(UnixPathTest, RemovesOnlyTheLinksOfDeadSupervisors) {
    leave_stale(folder_ / ".app.sock.holdfast-999999");
    std::ofstream(folder_ / ".app.sock.holdfast-notes") << "x";
    leave_stale(folder_ / ".other.sock.holdfast-999999");
    const Listener listener = open_listener("unix:" + path_);
    EXPECT_FALSE(exists(folder_ / ".app.sock.holdfast-999999"));
    EXPECT_TRUE(exists(folder_ / ".app.sock.holdfast-notes"));
    EXPECT_TRUE(exists(folder_ / ".other.sock.holdfast-999999"));
}

}  // namespace
}  // namespace holdfast::os
