// A generation keeps its program: the executable, which is held open, and the directory it was started in. A later
// deployment does not affect it, unless it overwrites the file in place.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "programs.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* broken_script = "#!/bin/sh\necho cannot load libtls.so.9 >&2\nexit 127\n";

// As a package manager does it: running processes keep the old file.
void replace_by_rename(const std::string& file, const std::string& path) { fs::rename(file, path); }

void overwrite_in_place(const std::string& from, const std::string& path) {
    std::ifstream in(from, std::ios::binary);
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    ASSERT_TRUE(out << in.rdbuf()) << path;
}

ino_t inode_of(const std::string& path) {
    struct stat status = {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_ino;
}

std::string program_of(pid_t pid) { return "/proc/" + std::to_string(pid) + "/exe"; }

class Deployment : public testing::Test {
  protected:
    // A copy of hello-http, with this file name.
    std::string copy_of_hello(const std::string& name) {
        std::string path = directory_ / name;
        fs::copy_file(program("hello-http"), path);
        return path;
    }

    void serve(const RunOptions& options) {
        run_ = std::make_unique<SupervisorProcess>(options);
        run_->wait_until_serving();
        clients_ = std::make_unique<Clients>(run_->address());
        clients_->wait_for_more();
    }

    void expect_restarted() {
        expect_done(run_->command("restart"));
        clients_->wait_for_more();
    }

    void expect_nothing_lost(std::size_t generations) {
        EXPECT_EQ(clients_->expect_nothing_lost().size(), generations);
        expect_clean_stop(*run_);
    }

    TemporaryDirectory directory_;
    std::unique_ptr<SupervisorProcess> run_;
    std::unique_ptr<Clients> clients_;
};

class Executable : public Deployment {
  protected:
    void serve_copy() {
        path_ = copy_of_hello("server");
        good_inode_ = inode_of(path_);
        serve(quick_service(2, {path_}));
    }

    std::string path_;
    ino_t good_inode_ = 0;
};

TEST_F(Executable, ReplacedByABrokenOneFailsTheRestartAndTheOldWorkersServe) {
    serve_copy();
    replace_by_rename(directory_.write("server.new", broken_script, 0755), path_);
    expect_failed(run_->command("restart"),
                  {"status 127", "its last words:\n  cannot load libtls.so.9", "generation 1 serves"});
    EXPECT_EQ(run_->log().count("worker_told", of_generation(1)), 0U);
    clients_->wait_for_more();
    replace_by_rename(copy_of_hello("server.good"), path_);
    expect_restarted();
    expect_nothing_lost(2);
}

// A worker that crashes meanwhile is replaced with its own program, not with the file that is at the path now.
TEST_F(Executable, ReplacedByABrokenOneDoesNotAffectTheReplacementOfACrashedWorker) {
    serve_copy();
    replace_by_rename(directory_.write("server.new", broken_script, 0755), path_);
    EXPECT_THAT(clients_->expect_nothing_lost(), ElementsAre(1U));
    const pid_t pid = pids_of(*run_, 1, 2).at(1);
    ::kill(pid, SIGKILL);
    const LogEntry crashed = run_->wait_for("worker_crashed", of_worker("1.1"));
    const LogEntry back = run_->wait_for("worker_ready", of_worker("1.1"), crashed.index);
    EXPECT_EQ(inode_of(program_of(back.pid)), good_inode_);
    expect_clean_stop(*run_);
}

TEST_F(Executable, IsRolledBackToAfterItWasDeleted) {
    serve_copy();
    replace_by_rename(copy_of_hello("server.new"), path_);
    expect_restarted();
    EXPECT_NE(inode_of(program_of(pids_of(*run_, 2, 2).front())), good_inode_);
    expect_done(run_->command("rollback"));
    for (const pid_t pid : pids_of(*run_, 3, 2)) {
        EXPECT_EQ(inode_of(program_of(pid)), good_inode_);
        EXPECT_THAT(fs::read_symlink(program_of(pid)).string(), EndsWith(" (deleted)"));
    }
    expect_nothing_lost(3);
}

TEST_F(Executable, ThatIsUnchangedIsRolledBackToByItsPath) {
    serve_copy();
    expect_restarted();
    expect_done(run_->command("rollback"));
    for (const pid_t pid : pids_of(*run_, 3, 2)) EXPECT_EQ(fs::read_symlink(program_of(pid)).string(), path_);
    expect_nothing_lost(3);
}

// There is no copy of the old content: the rollback fails with this reason, and nothing changes.
TEST_F(Executable, OverwrittenInPlaceIsNotRolledBackTo) {
    const std::string one = copy_of_hello("one"), two = copy_of_hello("two");
    fs::create_symlink(one, directory_ / "server");
    serve(quick_service(2, {directory_ / "server"}));
    fs::remove(directory_ / "server");
    fs::create_symlink(two, directory_ / "server");
    expect_restarted();
    overwrite_in_place("/bin/true", one);
    const std::size_t before = run_->log().mark();
    expect_failed(run_->command("rollback"), {"cannot roll back to generation 1", "was overwritten in place"});
    EXPECT_EQ(run_->log().count("worker_launching", any_entry(), before), 0U);
    EXPECT_EQ(run_->log().count("worker_told", any_entry(), before), 0U);
    expect_nothing_lost(2);
}

TEST_F(Executable, OfTheFirstGenerationCannotBeRolledBack) {
    serve_copy();
    expect_failed(run_->command("rollback"), {"cannot roll back", "holdfast restart"});
    expect_nothing_lost(1);
}

// A script can only be executed by its path: it can be rolled back to if each release has its own directory.
class Script : public Deployment {
  protected:
    void write_release(const std::string& name) {
        fs::create_directories(directory_ / name);
        directory_.write(name + "/server", "#!/bin/sh\necho this is $(cat name)\nexec " + hello_http().front() + "\n",
                         0755);
        directory_.write(name + "/name", name + "\n");
    }

    void make_current(const std::string& name) {
        fs::create_symlink(name, directory_ / "current.new");
        fs::rename(directory_ / "current.new", directory_ / "current");
    }

    void serve_current() {
        RunOptions options = quick_service(1, {"./server"});
        set_option(options, "--chdir", directory_ / "current");
        serve(options);
    }

    void serve_two_releases() {
        write_release("one");
        write_release("two");
        make_current("one");
        serve_current();
        make_current("two");
        expect_restarted();
    }
};

TEST_F(Script, BehindASymbolicLinkIsRolledBackToWithItsDirectory) {
    serve_two_releases();
    expect_done(run_->command("rollback"));
    clients_->wait_for_more();
    EXPECT_EQ(run_->worker_output(), "this is one\nthis is two\nthis is one\n");
    expect_nothing_lost(3);
}

TEST_F(Script, ReplacedInItsDirectoryIsNotRolledBackTo) {
    serve_two_releases();
    replace_by_rename(directory_.write("new", broken_script, 0755), directory_ / "one/server");
    expect_failed(run_->command("rollback"), {"cannot roll back to generation 1", "is a different file now"});
    expect_nothing_lost(2);
}

TEST_F(Script, WhoseReleaseDirectoryWasRemovedIsNotRolledBackTo) {
    serve_two_releases();
    fs::remove_all(directory_ / "one");
    expect_failed(run_->command("rollback"), {"cannot roll back to generation 1", "no longer exists"});
    expect_nothing_lost(2);
}

}  // namespace
}  // namespace holdfast::test
