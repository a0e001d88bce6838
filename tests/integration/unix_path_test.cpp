// The path of a unix socket, and listeners that are not TCP.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "harness.hpp"
#include "programs.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class UnixPath : public testing::Test {
  protected:
    RunOptions listening(const std::string& query = "") const {
        RunOptions options;
        options.options = {"--listen", "unix:" + path_ + query, "--settle", "100ms"};
        options.command = hello_http();
        return options;
    }

    // Creates a socket file as a server leaves it behind; with `listen` the socket also accepts connections.
    int bind_here(bool listen) const {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
        path_.copy(address.sun_path, path_.size());
        EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        if (listen) {
            EXPECT_EQ(::listen(fd, 5), 0);
        }
        return fd;
    }

    LoadReport send_requests(int times) const {
        return BackgroundLoad(slow_load("unix:" + path_, times, 0)).wait_for_end();
    }

    TemporaryDirectory directory_;
    const std::string path_ = directory_ / "web.sock";
};

TEST_F(UnixPath, ThatIsStaleIsReplaced) {
    ::close(bind_here(false));
    SupervisorProcess run(listening());
    run.wait_until_serving();
    expect_flawless(send_requests(3));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_FALSE(fs::exists(path_));
}

TEST_F(UnixPath, ThatIsInUseIsRejected) {
    const int fd = bind_here(true);
    SupervisorProcess run(listening());
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{4}});
    EXPECT_THAT(run.log().text(), HasSubstr(path_));
    EXPECT_TRUE(fs::exists(path_));
    ::close(fd);
}

TEST_F(UnixPath, ThatIsNotASocketIsNotRemoved) {
    directory_.write("web.sock", "precious");
    SupervisorProcess run(listening());
    EXPECT_EQ(run.wait_for_exit(), ExitStatus{ExitedWith{4}});
    EXPECT_TRUE(fs::is_regular_file(path_));
}

TEST_F(UnixPath, HasTheConfiguredModeAndOwner) {
    SupervisorProcess run(listening("?mode=0620&user=nobody&group=nogroup"));
    run.wait_until_serving();
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0620U);
    EXPECT_EQ(status.st_uid, 65534U);
    EXPECT_EQ(status.st_gid, 65534U);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST_F(UnixPath, ThatWasUnlinkedIsRestored) {
    SupervisorProcess run(listening());
    run.wait_until_serving();
    ASSERT_EQ(::unlink(path_.c_str()), 0);
    run.wait_for("path_restored");
    expect_flawless(send_requests(3));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(UnixPath, ThatAWorkerUnlinkedIsRestoredInEachGeneration) {
    RunOptions options = listening();
    set_option(options, "--workers", "2");
    options.command = hello_beside_stubborn("--unlink");
    SupervisorProcess run(options);
    run.wait_until_serving();
    run.wait_for("path_restored");
    for (int restart = 0; restart < 2; ++restart) {
        const std::size_t before = run.log().mark();
        EXPECT_TRUE(run.command("restart").succeeded());
        run.wait_for("path_restored", with_text(path_), before);
    }
    expect_flawless(send_requests(3));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST_F(UnixPath, ThatBelongsToAnotherProcessAtTheEndIsNotUnlinked) {
    SupervisorProcess run(listening());
    run.wait_until_serving();
    const std::string other = directory_.write("other", "precious");
    fs::rename(other, path_);
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
    EXPECT_TRUE(fs::is_regular_file(path_));
}

TEST_F(UnixPath, IsNotNeededByAnAbstractSocket) {
    RunOptions options = listening();
    set_option(options, "--listen", "unix:@holdfast-test-" + std::to_string(::getpid()));
    SupervisorProcess run(options);
    run.wait_until_serving();
    BackgroundLoad load(fresh_load(run.address()));
    restart_under_load(run, load, 2);
    expect_flawless(load.stop());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Listener, OnEveryAddressServesBothFamilies) {
    RunOptions options;
    options.options = {"--listen", ":0"};
    options.command = hello_http();
    SupervisorProcess run(options);
    run.wait_until_serving();
    const std::string port = run.address().substr(run.address().rfind(':'));
    expect_flawless(BackgroundLoad(slow_load("127.0.0.1" + port, 2, 0)).wait_for_end());
    expect_flawless(BackgroundLoad(slow_load("[::1]" + port, 2, 0)).wait_for_end());
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

TEST(Listener, ThatIsTakenEndsTheRunWithStatusFour) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0"};
    options.command = hello_http();
    SupervisorProcess first(options);
    options.name = "second";
    set_option(options, "--listen", first.address());
    SupervisorProcess second(options);
    EXPECT_EQ(second.wait_for_exit(), ExitStatus{ExitedWith{4}});
    EXPECT_THAT(second.log().text(), HasSubstr(first.address()));
}

TEST(Listener, LogsABacklogThatTheKernelLimits) {
    RunOptions options;
    options.options = {"--listen", "127.0.0.1:0?backlog=1000000"};
    options.command = hello_http();
    SupervisorProcess run(options);
    EXPECT_THAT(run.wait_for("backlog_cut").text, HasSubstr("somaxconn"));
    EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
}

// A supervisor inside of another one uses its listeners as `systemd` and as `fd:3`.
TEST(Listener, CanBeInheritedFromTheParentProcess) {
    for (const std::string inner : {"systemd", "fd:3"}) {
        const TemporaryDirectory directory;
        RunOptions options;
        options.options = {"--listen", "http=127.0.0.1:0", "--ready-when", "alive:1s"};
        options.command = {program("holdfast"), "run", "--name", "inner"};
        options.command.insert(options.command.end(), {"--runtime-dir", directory / "run", "--state-dir",
                                                       directory / "state", "--listen", inner, "--"});
        options.command.push_back(hello_http().front());
        SupervisorProcess run(options);
        run.wait_until_serving();
        expect_flawless(BackgroundLoad(slow_load(run.address(), 3, 0)).wait_for_end());
        EXPECT_EQ(run.stop(), ExitStatus{ExitedWith{0}});
        EXPECT_EQ(run.log().count("worker_killed"), 0U);
    }
}

}  // namespace
}  // namespace holdfast::test
