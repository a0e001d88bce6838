#include "runtime/descriptor_closer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "tests/unit/runtime/refused_threads.hpp"

namespace holdfast::runtime {
namespace {

// A pipe whose writing end is given away.
class WatchedPipe {
  public:
    WatchedPipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        reader_.reset(ends[0]);
        writer_.reset(ends[1]);
    }
    std::vector<os::UniqueFd> writer() {
        std::vector<os::UniqueFd> given;
        given.push_back(std::move(writer_));
        return given;
    }
    // The writing end with a number of at least `number`.
    std::vector<os::UniqueFd> writer_from(int number) {
        std::vector<os::UniqueFd> given;
        given.emplace_back(::fcntl(writer_.get(), F_DUPFD_CLOEXEC, number));
        EXPECT_TRUE(given.front());
        writer_.reset();
        return given;
    }
    bool is_closed(int timeout_ms) const {
        pollfd end{reader_.get(), POLLIN, 0};
        return ::poll(&end, 1, timeout_ms) == 1 && (end.revents & POLLHUP) != 0;
    }

  private:
    os::UniqueFd reader_, writer_;
};

constexpr int a_minute_ms = 60'000;

TEST(DescriptorCloser, ClosesWhatItIsGiven) {
    WatchedPipe first, second;
    DescriptorCloser closer;
    closer.close({});
    closer.close(first.writer());
    EXPECT_TRUE(first.is_closed(a_minute_ms));
    closer.close(second.writer());
    EXPECT_TRUE(second.is_closed(a_minute_ms));
}

TEST(DescriptorCloser, IsNotBlockedByACloseThatBlocks) {
    WatchedPipe blocking, behind;
    run_in_thread([&] {
        constexpr int filtered_bit = 512;  // of numbers of descriptors whose close() blocks
        const BlockedSyscall close(SYS_close, filtered_bit);
        if (!close) GTEST_SKIP() << "system calls cannot be held here";
        auto closer = std::make_unique<DescriptorCloser>();
        closer->close(blocking.writer_from(filtered_bit));
        close.wait_until_called();
        closer->close(behind.writer());
        closer.reset();
        EXPECT_FALSE(behind.is_closed(0));
    });
    // The close() that blocked has failed; the thread closes the rest before it ends.
    EXPECT_TRUE(behind.is_closed(a_minute_ms));
}

TEST(DescriptorCloser, TriesAgainIfNoThreadCouldBeStarted) {
    WatchedPipe first, second;
    DescriptorCloser closer;
    run_in_thread([&] {
        if (!refuse_new_threads()) GTEST_SKIP() << "system calls cannot be held here";
        closer.close(first.writer());
        EXPECT_FALSE(first.is_closed(0));
    });
    closer.close(second.writer());
    EXPECT_TRUE(first.is_closed(a_minute_ms));
    EXPECT_TRUE(second.is_closed(a_minute_ms));
}

}  // namespace
}  // namespace holdfast::runtime
