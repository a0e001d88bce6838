#include "os/runtime_directory.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "os/api_socket.hpp"
#include "os/worker_records.hpp"
#include "socket_support.hpp"

namespace holdfast::os {
namespace {

using testing::HasSubstr;

mode_t mode_of(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

RuntimeDirectoryClaim claim(const std::string& path) { return claim_runtime_directory(std::vector<std::string>{path}); }

RuntimeDirectory claimed(const std::string& path) {
    RuntimeDirectoryClaim result = claim(path);
    if (const auto* none = std::get_if<NoRuntimeDirectory>(&result)) ADD_FAILURE() << none->reason;
    return std::move(std::get<RuntimeDirectory>(result));
}

std::string reason_against(const std::string& path) {
    const RuntimeDirectoryClaim result = claim(path);
    const auto* none = std::get_if<NoRuntimeDirectory>(&result);
    EXPECT_NE(none, nullptr);
    return none == nullptr ? "" : none->reason;
}

class RuntimeDirectoryTest : public testing::Test {
  protected:
    const TemporaryFolder folder_;
    const std::string path_ = folder_ / "holdfast/web";
};

TEST_F(RuntimeDirectoryTest, IsCreatedWithMode0711WhateverTheUmask) {
    const mode_t before = ::umask(077);
    const RuntimeDirectory directory = claimed(path_);
    ::umask(before);
    EXPECT_EQ(directory.path(), path_);
    EXPECT_EQ(mode_of(path_), 0711U);
    EXPECT_EQ(mode_of(folder_ / "holdfast"), 0711U);
    EXPECT_EQ(mode_of(path_ + "/lock"), 0600U);
}

TEST_F(RuntimeDirectoryTest, BelongsToOneSupervisor) {
    const RuntimeDirectory directory = claimed(path_);
    expect_in_child([&] {
        const RuntimeDirectoryClaim second = claim(path_);
        const auto* taken = std::get_if<NameTaken>(&second);
        ASSERT_NE(taken, nullptr);
        EXPECT_EQ(taken->pid, ::getppid());
        EXPECT_EQ(taken->path, path_);
    });
}

TEST_F(RuntimeDirectoryTest, OfAKilledSupervisorCanBeClaimed) {
    const pid_t killed = ::fork();
    if (killed == 0) {
        const RuntimeDirectory directory = claimed(path_);
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(killed, &status, 0), killed);
    ASSERT_TRUE(exists(path_ + "/lock"));
    const RuntimeDirectory directory = claimed(path_);
    int pid = 0;
    std::ifstream(path_ + "/lock") >> pid;
    EXPECT_EQ(pid, ::getpid());
}

TEST_F(RuntimeDirectoryTest, IsFreeAfterRemove) {
    RuntimeDirectory directory = claimed(path_);
    directory.remove();
    EXPECT_FALSE(exists(path_));
    RuntimeDirectory second = claimed(path_);
    expect_in_child([&] { EXPECT_TRUE(std::holds_alternative<NameTaken>(claim(path_))); });
    second.remove();
    second.remove();
}

// Claims and releases the directory; the marker detects two owners at the same time.
void claim_again_and_again(const std::string& path, const std::string& marker) {
    constexpr int rounds = 600;
    for (int round = 0; round < rounds; ++round) {
        RuntimeDirectoryClaim result = claim(path);
        auto* directory = std::get_if<RuntimeDirectory>(&result);
        if (directory == nullptr) continue;
        const UniqueFd alone{::open(marker.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600)};
        EXPECT_TRUE(alone) << "two supervisors must not own one directory";
        ::unlink(marker.c_str());
        directory->remove();
    }
}

TEST_F(RuntimeDirectoryTest, HasOneOwnerWhileSupervisorsStartAndEnd) {
    const std::string marker = folder_ / "marker";
    std::vector<pid_t> contenders;
    for (int i = 0; i < 3; ++i) {
        contenders.push_back(::fork());
        if (contenders.back() != 0) continue;
        claim_again_and_again(path_, marker);
        ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    for (const pid_t contender : contenders) {
        int status = 0;
        ASSERT_EQ(::waitpid(contender, &status, 0), contender);
        EXPECT_EQ(status, 0);
    }
}

TEST_F(RuntimeDirectoryTest, ThatWeDidNotCreateIsNotRemoved) {
    ::mkdir((folder_ / "own").c_str(), 0700);
    RuntimeDirectory directory = claimed(folder_ / "own");
    directory.remove();
    EXPECT_TRUE(exists(folder_ / "own"));
    EXPECT_FALSE(exists(folder_ / "own/lock"));
}

TEST_F(RuntimeDirectoryTest, IsTheFirstUsableCandidate) {
    std::ofstream(folder_ / "file") << "x";
    const std::vector<std::string> candidates{folder_ / "file/web", path_, folder_ / "later"};
    RuntimeDirectoryClaim result = claim_runtime_directory(candidates);
    ASSERT_TRUE(std::holds_alternative<RuntimeDirectory>(result));
    EXPECT_EQ(std::get<RuntimeDirectory>(result).path(), path_);
}

TEST_F(RuntimeDirectoryTest, NoUsableCandidateGivesAReasonForEach) {
    std::ofstream(folder_ / "file") << "x";
    const std::vector<std::string> candidates{folder_ / "file/web", folder_ / "no/such/web"};
    const RuntimeDirectoryClaim result = claim_runtime_directory(candidates);
    ASSERT_TRUE(std::holds_alternative<NoRuntimeDirectory>(result));
    EXPECT_EQ(std::get<NoRuntimeDirectory>(result).reason, "cannot open " + (folder_ / "file") +
                                                               ": Not a directory; cannot create " +
                                                               (folder_ / "no/such") + ": No such file or directory");
}

TEST_F(RuntimeDirectoryTest, ThatOthersCanWriteToIsRejected) {
    ::mkdir((folder_ / "open").c_str(), 0700);
    ::chmod((folder_ / "open").c_str(), 0777);
    EXPECT_THAT(reason_against(folder_ / "open"), HasSubstr("other users can write to it; run chmod go-w on it"));
    EXPECT_THAT(reason_against(folder_ / "open/web"),
                HasSubstr("cannot use " + (folder_ / "open") + ": other users can"));
    ::chmod((folder_ / "open").c_str(), 01777);
    EXPECT_THAT(reason_against(folder_ / "open"), HasSubstr("other users can write to it"));
    EXPECT_EQ(claimed(folder_ / "open/web").path(), folder_ / "open/web")
        << "the sticky bit must be enough, as in /tmp";
}

TEST_F(RuntimeDirectoryTest, OfAnotherUserIsRejected) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can change the owner";
    ::mkdir((folder_ / "theirs").c_str(), 0755);
    ASSERT_EQ(::chown((folder_ / "theirs").c_str(), 12345, 12345), 0);
    EXPECT_THAT(reason_against(folder_ / "theirs"), HasSubstr("it belongs to uid 12345"));
    EXPECT_THAT(reason_against(folder_ / "theirs/web"), HasSubstr("it belongs to uid 12345"));
}

TEST_F(RuntimeDirectoryTest, BehindASymbolicLinkIsAcceptedOnlyIfTheLinkIsOurs) {
    ::mkdir((folder_ / "real").c_str(), 0711);
    ASSERT_EQ(::symlink((folder_ / "real").c_str(), (folder_ / "link").c_str()), 0);
    EXPECT_EQ(claimed(folder_ / "link/web").path(), folder_ / "link/web");
    if (::geteuid() != 0) GTEST_SKIP() << "only root can change the owner";
    ASSERT_EQ(::lchown((folder_ / "link").c_str(), 12345, 12345), 0);
    EXPECT_THAT(reason_against(folder_ / "link/web"), HasSubstr("it is a symbolic link of uid 12345"));
    EXPECT_THAT(reason_against(folder_ / "link"), HasSubstr("it is a symbolic link of uid 12345"));
}

TEST_F(RuntimeDirectoryTest, WithoutWritePermissionIsRejected) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can change the user";
    ::chmod(folder_.path().c_str(), 0755);
    expect_in_child([&] {
        ASSERT_EQ(::setuid(12345), 0);
        EXPECT_THAT(reason_against(folder_ / "web"), HasSubstr(": Permission denied"));
    });
}

TEST_F(RuntimeDirectoryTest, ApiSocketIsAccessibleOnlyToItsOwner) {
    const RuntimeDirectory directory = claimed(path_);
    const std::string socket = path_ + "/api.sock";
    std::ofstream(socket) << "left behind";
    const mode_t before = ::umask(0);
    const UniqueFd fd = open_api_socket(directory).value();
    ::umask(before);
    EXPECT_EQ(mode_of(socket), 0600U);
    EXPECT_EQ(connect_to_path(socket).error_number, 0);
    remove_api_socket(directory);
    EXPECT_FALSE(exists(socket));
}

TEST_F(RuntimeDirectoryTest, ApiSocketWithATooLongPathIsAnError) {
    const std::string longer = folder_ / std::string(100, 'x');
    const RuntimeDirectory directory = claimed(longer);
    EXPECT_EQ(open_api_socket(directory).error().text,
              "cannot use " + longer + "/api.sock as a unix address: File name too long");
}

class WorkerRecordsTest : public RuntimeDirectoryTest {
  protected:
    const RuntimeDirectory directory_ = claimed(path_);
    const WorkerRecords records_ = WorkerRecords::open(directory_).value();

    // A process that lives until it is told to end.
    static pid_t start_worker() {
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::signal(SIGTERM, SIG_DFL);
            while (true) ::pause();
        }
        return pid;
    }
    static void end_worker(pid_t pid) {
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
};

TEST_F(WorkerRecordsTest, ListTheLiveWorkersOfAnEarlierSupervisor) {
    const pid_t worker = start_worker();
    ASSERT_TRUE(records_.add(worker, "3.1"));
    const auto orphans = records_.living_orphans().value();
    ASSERT_EQ(orphans.size(), 1U);
    EXPECT_EQ(orphans[0].pid, worker);
    EXPECT_EQ(orphans[0].worker, "3.1");
    EXPECT_EQ(orphans[0].command, "os_test");
    EXPECT_TRUE(exists(path_ + "/workers/" + std::to_string(worker)));
    end_worker(worker);
}

TEST_F(WorkerRecordsTest, AreRemovedForDeadWorkersAndReusedPids) {
    const pid_t worker = start_worker();
    ASSERT_TRUE(records_.add(worker, "1.0"));
    end_worker(worker);
    std::ofstream(path_ + "/workers/" + std::to_string(::getpid())) << "1 1.1\n";  // another start time
    std::ofstream(path_ + "/workers/1") << "";  // the supervisor died while it wrote the record
    std::ofstream(path_ + "/workers/2") << "nonsense";
    std::ofstream(path_ + "/workers/notes") << "x";
    EXPECT_TRUE(records_.living_orphans().value().empty());
    for (const std::string& name : {std::to_string(worker), std::to_string(::getpid()), std::string("1")}) {
        EXPECT_FALSE(exists(path_ + "/workers/" + name)) << name;
    }
    EXPECT_TRUE(exists(path_ + "/workers/notes"));
}

TEST_F(WorkerRecordsTest, TreatAZombieAsDead) {
    const pid_t worker = start_worker();
    ASSERT_TRUE(records_.add(worker, "1.0"));
    ::kill(worker, SIGKILL);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(worker), &info, WEXITED | WNOWAIT), 0);
    EXPECT_TRUE(records_.living_orphans().value().empty());
    ::waitpid(worker, nullptr, 0);
}

TEST_F(WorkerRecordsTest, AreRemovedWithTheirWorkers) {
    RuntimeDirectory directory = claimed(folder_ / "other");
    const WorkerRecords records = WorkerRecords::open(directory).value();
    ASSERT_TRUE(records.add(::getpid(), "1.0"));
    records.remove_folder(directory);
    EXPECT_TRUE(exists(directory.path() + "/workers")) << "an orphan is left";
    records.remove(::getpid());
    records.remove_folder(directory);
    directory.remove();
    EXPECT_FALSE(exists(folder_ / "other"));
}

TEST_F(WorkerRecordsTest, AreNotCreatedForAProcessThatHasEnded) {
    const pid_t worker = start_worker();
    end_worker(worker);
    EXPECT_TRUE(records_.add(worker, "1.0"));
    EXPECT_FALSE(exists(path_ + "/workers/" + std::to_string(worker)));
}

}  // namespace
}  // namespace holdfast::os
