// AppendFile writes complete lines, also when a write fails.

#include "os/append_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "launch_support.hpp"
#include "socket_support.hpp"

namespace holdfast::os {
namespace {

std::string content_of(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

struct Appending : ::testing::Test {
    AppendFile file(std::uint64_t limit = 1000) const { return {folder.get(), "lines", limit}; }
    std::string path(const std::string& name = "lines") const { return directory.path() + "/" + name; }
    TemporaryDirectory directory;
    UniqueFd folder{::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
};

TEST_F(Appending, AppendsToAnExistingFile) {
    ASSERT_TRUE(file().append("one\n"));
    AppendFile again = file();
    ASSERT_TRUE(again.append("two\n"));
    ASSERT_TRUE(again.append("three\n"));
    EXPECT_EQ(content_of(path()), "one\ntwo\nthree\n");
    struct stat status {};
    ASSERT_EQ(::stat(path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(Appending, NeverStoresMoreThanTwiceItsLimit) {
    AppendFile lines = file(100);
    for (int number = 100; number < 300; ++number) {
        ASSERT_TRUE(lines.append("line " + std::to_string(number) + "\n"));
        EXPECT_LE(std::filesystem::file_size(path()), 100U);
    }
    EXPECT_LE(std::filesystem::file_size(path("lines.1")), 100U);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 2);
    const std::string both = content_of(path("lines.1")) + content_of(path());
    EXPECT_TRUE(both.ends_with("line 298\nline 299\n")) << both;
    EXPECT_TRUE(both.starts_with("line ")) << both;
}

TEST_F(Appending, StartsANewLineAfterAPartialLineOfAnEarlierWriter) {
    directory.write("lines", "one\ntw");
    ASSERT_TRUE(file().append("three\n"));
    EXPECT_EQ(content_of(path()), "one\ntw\nthree\n");
}

// A file size limit of the process cuts a write short like a full disk does.
void limit_files_to(rlim_t bytes) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    std::signal(SIGXFSZ, SIG_IGN);
}

TEST_F(Appending, TruncatesAPartialWrite) {
    expect_in_child([this] {
        AppendFile lines = file();
        EXPECT_TRUE(lines.append("one\n"));
        limit_files_to(10);
        const auto written = lines.append("two two two\n");
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error().code, EFBIG);
        EXPECT_EQ(written.error().text, "cannot write to lines: File too large");
        EXPECT_EQ(content_of(path()), "one\n");
        EXPECT_TRUE(lines.append("tri\n"));
        EXPECT_EQ(content_of(path()), "one\ntri\n");
        limit_files_to(RLIM_INFINITY);
        EXPECT_TRUE(lines.append("two two two\n"));
        EXPECT_EQ(content_of(path()), "one\ntri\ntwo two two\n");
    });
}

TEST_F(Appending, CreatesANewFileAfterItWasDeleted) {
    AppendFile lines = file();
    ASSERT_TRUE(lines.append("one\n"));
    std::filesystem::remove(path());
    ASSERT_TRUE(lines.append("two\n"));
    EXPECT_EQ(content_of(path()), "two\n");
}

TEST_F(Appending, ReportsWhyAFileCannotBeOpened) {
    std::filesystem::create_directory(path());
    const auto written = file().append("one\n");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().text, "cannot open lines: Is a directory");
}

TEST_F(Appending, DoesNotWaitForTheReaderOfAFifo) {
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    const auto written = file().append("one\n");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().text, "cannot write to lines: it is not a regular file");
}

TEST_F(Appending, DoesNotFollowASymbolicLink) {
    std::filesystem::create_symlink(path("elsewhere"), path());
    EXPECT_FALSE(file().append("one\n"));
    EXPECT_FALSE(std::filesystem::exists(path("elsewhere")));
}

}  // namespace
}  // namespace holdfast::os
