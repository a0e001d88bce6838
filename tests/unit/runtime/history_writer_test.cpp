#include "runtime/history_writer.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "tests/unit/runtime/refused_threads.hpp"

namespace holdfast::runtime {
namespace {

struct HistoryWriterTest : ::testing::Test {
    HistoryWriterTest() { EXPECT_NE(::mkdtemp(path.data()), nullptr); }
    ~HistoryWriterTest() override { std::filesystem::remove_all(path); }
    os::UniqueFd directory() const { return os::UniqueFd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)}; }

    std::string path = "/tmp/history-writer-XXXXXX";
};

TEST_F(HistoryWriterTest, CountsALineThatDoesNotFitInTheQueue) {
    std::vector<std::string> reported;
    {
        HistoryWriter writer(directory(), "lines", 1U << 20,
                             [&](core::Level, std::string text) { reported.push_back(std::move(text)); });
        writer.write(std::string(HistoryWriter::max_queued_bytes, 'x') + "\n");
        writer.write("short\n");
        writer.write("short\n");
    }
    EXPECT_THAT(reported, testing::ElementsAre("the history is written again; 1 lines are missing in it"));
    EXPECT_EQ(std::filesystem::file_size(path + "/lines"), 12U);
}

TEST_F(HistoryWriterTest, EndsAlthoughTheDiskBlocks) {
    auto reports = std::make_shared<std::atomic<int>>(0);
    run_in_thread([&] {
        constexpr int filtered_bit = 512;  // of the directory's descriptor
        os::UniqueFd numbered{::fcntl(directory().get(), F_DUPFD_CLOEXEC, filtered_bit)};
        ASSERT_TRUE(numbered);
        const BlockedSyscall open(SYS_openat, filtered_bit);
        if (!open) GTEST_SKIP() << "system calls cannot be held here";
        HistoryWriter writer(std::move(numbered), "lines", 1U << 20,
                             [reports](core::Level, const std::string&) { ++*reports; });
        writer.write("first\n");
        open.wait_until_called();
        writer.write("second\n");
    });
    EXPECT_EQ(*reports, 0) << "nothing is reported after the destructor has returned";
}

TEST_F(HistoryWriterTest, ThrowsIfNoThreadCanBeStarted) {
    run_in_thread([this] {
        if (!refuse_new_threads()) GTEST_SKIP() << "system calls cannot be held here";
        EXPECT_THROW(HistoryWriter(directory(), "lines", 1U << 20, [](core::Level, const std::string&) {}),
                     std::system_error);
    });
}

}  // namespace
}  // namespace holdfast::runtime
