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

// Copies a program, so that the copy can be changed.
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

// Creates a release with a script that prints the name of the release.
std::string release(const TemporaryDirectory& under, const std::string& name) {
    files::create_directory(under.path() + "/" + name);
    under.write(name + "/run.sh", "#!/bin/sh\necho release " + name + "\n", 0755);
    return under.path() + "/" + name;
}

void change_link(const std::string& link, const std::string& to) {
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

TEST(KeptProgram, RunsAfterAnotherFileWasRenamedOverIt) {
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
                  " was overwritten in place, and there is no copy of the previous program; deploy each "
                  "release into a new directory, or rename a new file over the old one");
    files::remove(path);
    EXPECT_NE(find_relaunch_problem(spec), std::nullopt);
}

// Another program is copied into the same file and the time is restored, as rsync --inplace --times may do.
TEST(KeptProgram, IsRefusedIfOnlyTheBuildIdChanged) {
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

TEST(KeptProgram, WithTheSameBuildIdRunsAfterItWasTouched) {
    const TemporaryDirectory directory;
    const std::string path = copy_of(launch_probe(), directory.path() + "/app");
    const LaunchSpec spec = resolved(command({path}));
    files::last_write_time(path, files::file_time_type{});
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    EXPECT_THAT(run(spec), HasSubstr("pid "));
}

TEST(KeptProgram, WithoutBuildIdIsComparedBySizeAndTime) {
    const TemporaryDirectory directory;
    const std::string path = copy_of(launch_probe(), directory.path() + "/app");
    LaunchSpec spec = resolved(command({path}));
    spec.executable.build_id.clear();
    files::rename(path, directory.path() + "/elsewhere");
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    files::last_write_time(directory.path() + "/elsewhere", files::file_time_type{});
    EXPECT_NE(find_relaunch_problem(spec), std::nullopt);
}

TEST(KeptProgram, OfAReleaseDirectoryRunsThereAfterTheLinkWasChanged) {
    const TemporaryDirectory directory;
    const std::string link = directory.path() + "/current";
    change_link(link, release(directory, "one"));
    LaunchOptions options = command({"./run.sh"});
    options.chdir = link;
    const LaunchSpec spec = resolved(options);
    change_link(link, release(directory, "two"));
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    EXPECT_EQ(run(spec), "release one\n");
    EXPECT_EQ(run(resolved(options)), "release two\n");
}

TEST(KeptProgram, NamedThroughALinkRunsFromTheOriginalTarget) {
    const TemporaryDirectory directory;
    const std::string link = directory.path() + "/current";
    change_link(link, release(directory, "one"));
    const LaunchSpec spec = resolved(command({link + "/run.sh"}));
    change_link(link, release(directory, "two"));
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
                  " is a different file now, and a script can only be run by its path; deploy each release into a "
                  "new directory and keep the previous one");
    files::remove(path);
    EXPECT_THAT(*find_relaunch_problem(spec), HasSubstr("run.sh no longer exists, and a script"));
}

TEST(KeptProgram, WhoseDirectoryWasRemovedIsRefused) {
    const TemporaryDirectory directory;
    const std::string old_release = release(directory, "one");
    LaunchOptions options = command({"/bin/true"});
    options.chdir = old_release;
    const LaunchSpec spec = resolved(options);
    EXPECT_EQ(find_relaunch_problem(spec), std::nullopt);
    files::remove_all(old_release);
    EXPECT_THAT(find_relaunch_problem(spec).value_or(""), HasSubstr(old_release + " of that time no longer exists"));
}

TEST(AnotherCommand, RunsInTheSameDirectoryAndEnvironment) {
    const TemporaryDirectory directory;
    LaunchOptions options = command({"/bin/true"});
    options.chdir = directory.path();
    options.env = {"RELEASE=7"};
    const LaunchSpec spec = resolved(options);
    auto other = resolve_other_command(spec, {"/bin/sh", "-c", "echo $RELEASE; pwd"});
    ASSERT_TRUE(std::holds_alternative<LaunchSpec>(other));
    EXPECT_EQ(run(std::get<LaunchSpec>(other)), "7\n" + files::canonical(directory.path()).string() + "\n");
}

}  // namespace
}  // namespace holdfast::os
