#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "launch_support.hpp"

namespace holdfast::os {
namespace {

using ::testing::HasSubstr;
namespace files = std::filesystem;

// A program of the file system's own, so that it can be changed.
std::string copy_of(const std::string& program, const std::string& to) {
    files::copy_file(program, to, files::copy_options::overwrite_existing);
    files::permissions(to, files::perms::owner_all);
    return to;
}

std::string run(const LaunchSpec& spec) {
    Launcher launcher;
    Started worker = start(launcher, spec);
    std::string output = read_all(worker.output);
    wait_and_reap(worker.leader);
    return output;
}

// A script that tells which one it is.
std::string release(const TemporaryDirectory& under, const std::string& name) {
    files::create_directory(under.path() + "/" + name);
    under.write(name + "/run.sh", "#!/bin/sh\necho release " + name + "\n", 0755);
    return under.path() + "/" + name;
}

void turn_link(const std::string& link, const std::string& to) {
    files::remove(link);
    files::create_directory_symlink(to, link);
}

TEST(KeptProgram, RunsAfterItsFileWasRemoved) {
    const TemporaryDirectory directory;
    const std::string path = copy_of(launch_probe(), directory.path() + "/app");
    const LaunchSpec spec = resolved(command({path}));
    files::remove(path);
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    EXPECT_THAT(run(spec), HasSubstr("pid "));
}

TEST(KeptProgram, RunsAfterAnotherFileWasMovedOverIt) {
    const TemporaryDirectory directory;
    const std::string path = copy_of(launch_probe(), directory.path() + "/app");
    const LaunchSpec spec = resolved(command({path}));
    files::rename(copy_of("/bin/false", directory.path() + "/new"), path);
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    EXPECT_THAT(run(spec), HasSubstr("pid "));
}

TEST(KeptProgram, IsRefusedAfterItsFileWasOverwrittenInPlace) {
    const TemporaryDirectory directory;
    const std::string path = copy_of(launch_probe(), directory.path() + "/app");
    const LaunchSpec spec = resolved(command({path}));
    std::ofstream(path, std::ios::trunc | std::ios::binary) << std::ifstream("/bin/false", std::ios::binary).rdbuf();
    EXPECT_EQ(find_relaunch_problem(spec),
              path +
                  " was overwritten in place, and no copy of the former program exists; deploy "
                  "into a new directory, or move a new file over the old one");
    files::remove(path);
    EXPECT_NE(find_relaunch_problem(spec), std::nullopt);
}

// Another program of the same length into the same file, its time put back: as rsync --inplace --times may do.
TEST(KeptProgram, IsRefusedWhereSizeAndTimeSayNothing) {
    const TemporaryDirectory directory;
    const std::string path = copy_of(launch_probe(), directory.path() + "/app");
    const LaunchSpec spec = resolved(command({path}));
    const auto time = files::last_write_time(path);
    const auto size = files::file_size(path);
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file << std::ifstream("/bin/false", std::ios::binary).rdbuf();
    }
    files::resize_file(path, size);
    files::last_write_time(path, time);
    EXPECT_THAT(find_relaunch_problem(spec).value_or(""), HasSubstr("was overwritten in place"));
}

TEST(KeptProgram, OfTheSameBuildIdRunsAlthoughItWasTouched) {
    const TemporaryDirectory directory;
    const std::string path = copy_of(launch_probe(), directory.path() + "/app");
    const LaunchSpec spec = resolved(command({path}));
    files::last_write_time(path, files::file_time_type{});
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    EXPECT_THAT(run(spec), HasSubstr("pid "));
}

TEST(KeptProgram, WithoutBuildIdIsJudgedBySizeAndTime) {
    const TemporaryDirectory directory;
    const std::string path = copy_of(launch_probe(), directory.path() + "/app");
    LaunchSpec spec = resolved(command({path}));
    spec.executable.build_id.clear();
    files::rename(path, directory.path() + "/elsewhere");
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    files::last_write_time(directory.path() + "/elsewhere", files::file_time_type{});
    EXPECT_NE(find_relaunch_problem(spec), std::nullopt);
}

TEST(KeptProgram, OfAReleaseDirectoryRunsThereAfterTheLinkWasTurned) {
    const TemporaryDirectory directory;
    const std::string link = directory.path() + "/current";
    turn_link(link, release(directory, "one"));
    LaunchOptions options = command({"./run.sh"});
    options.chdir = link;
    const LaunchSpec spec = resolved(options);
    turn_link(link, release(directory, "two"));
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    EXPECT_EQ(run(spec), "release one\n");
    EXPECT_EQ(run(resolved(options)), "release two\n");
}

TEST(KeptProgram, NamedThroughALinkRunsWhereThatHadLed) {
    const TemporaryDirectory directory;
    const std::string link = directory.path() + "/current";
    turn_link(link, release(directory, "one"));
    const LaunchSpec spec = resolved(command({link + "/run.sh"}));
    turn_link(link, release(directory, "two"));
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    EXPECT_EQ(run(spec), "release one\n");
}

TEST(KeptProgram, ThatIsAScriptIsRefusedAfterItWasChangedInPlace) {
    const TemporaryDirectory directory;
    const std::string path = directory.write("run.sh", "#!/bin/sh\necho one\n", 0755);
    const LaunchSpec spec = resolved(command({path}));
    directory.write("run.sh", "#!/bin/sh\necho another\n", 0755);
    EXPECT_EQ(find_relaunch_problem(spec),
              path +
                  " is another file now, and a script runs by its path alone; deploy into a new directory, and keep "
                  "the former one");
    files::remove(path);
    EXPECT_THAT(*find_relaunch_problem(spec), HasSubstr("run.sh is gone, and a script"));
}

TEST(KeptProgram, WhoseDirectoryWasRemovedIsRefused) {
    const TemporaryDirectory directory;
    const std::string old_release = release(directory, "one");
    LaunchOptions options = command({"/bin/true"});
    options.chdir = old_release;
    const LaunchSpec spec = resolved(options);
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    files::remove_all(old_release);
    EXPECT_THAT(find_relaunch_problem(spec).value_or(""), HasSubstr(old_release + " was then is gone"));
}

TEST(AnotherCommand, RunsInTheSameSurroundings) {
    const TemporaryDirectory directory;
    LaunchOptions options = command({"/bin/true"});
    options.chdir = directory.path();
    options.env = {"RELEASE=7"};
    const LaunchSpec spec = resolved(options);
    auto beside = resolve_other_command(spec, {"/bin/sh", "-c", "echo $RELEASE; pwd"});
    ASSERT_TRUE(std::holds_alternative<LaunchSpec>(beside));
    EXPECT_EQ(run(std::get<LaunchSpec>(beside)), "7\n" + files::canonical(directory.path()).string() + "\n");
}

}  // namespace
}  // namespace holdfast::os
