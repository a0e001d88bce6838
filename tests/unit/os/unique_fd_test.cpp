#include "os/unique_fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include <cerrno>

#include "os/errno_error.hpp"

namespace holdfast::os {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(UniqueFd, ClosesWhatItOwns) {
    int fd = -1;
    {
        const UniqueFd owner{::eventfd(0, EFD_CLOEXEC)};
        fd = owner.get();
        ASSERT_TRUE(is_open(fd));
    }
    EXPECT_FALSE(is_open(fd));
}

TEST(UniqueFd, MovesOwnershipAndClosesThePreviousDescriptor) {
    UniqueFd first{::eventfd(0, EFD_CLOEXEC)};
    UniqueFd second{::eventfd(0, EFD_CLOEXEC)};
    const int kept = first.get();
    const int dropped = second.get();
    second = std::move(first);
    EXPECT_EQ(second.get(), kept);
    EXPECT_FALSE(is_open(dropped));
    const int released = second.release();
    EXPECT_FALSE(second);
    EXPECT_TRUE(is_open(released));
    EXPECT_EQ(::close(released), 0);
}

TEST(UniqueFd, KeepsErrnoWhenItCloses) {
    UniqueFd owner{::eventfd(0, EFD_CLOEXEC)};
    ASSERT_EQ(::close(owner.get()), 0);
    errno = ENOENT;
    owner.reset();
    EXPECT_EQ(errno, ENOENT);
}

TEST(ErrnoError, NamesTheOperationAndTheCause) {
    const Error missing = errno_error("open /nowhere", ENOENT);
    EXPECT_EQ(missing.text, "cannot open /nowhere: No such file or directory");
    EXPECT_EQ(missing.code, ENOENT);
    EXPECT_EQ(errno_text(4000), "error 4000");
}

}  // namespace
}  // namespace holdfast::os
