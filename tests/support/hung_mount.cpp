#include "hung_mount.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "child_process.hpp"
#include "errno_exception.hpp"

namespace holdfast::test {
HungMount::HungMount(const std::string& path) : path_(path) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        throw errno_exception("cannot create a mount namespace");
    fuse_fd_ = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fuse_fd_ < 0) throw errno_exception("cannot open /dev/fuse");
    const std::string options = "fd=" + std::to_string(fuse_fd_) + ",rootmode=40000,user_id=0,group_id=0";
    if (::mount("stuck", path_.c_str(), "fuse.stuck", 0, options.c_str()) != 0)
        throw errno_exception("cannot mount on " + path_);
    answer_init();
}

HungMount::~HungMount() {
    ::close(fuse_fd_);  // blocked calls fail now
    ::umount2(path_.c_str(), MNT_DETACH);
}

// Answers only FUSE_INIT, so that the kernel regards the file system as running.
void HungMount::answer_init() const {
    std::array<char, 65'536> request{};
    fuse_in_header in{};
    const ssize_t length = ::read(fuse_fd_, request.data(), request.size());
    if (length < static_cast<ssize_t>(sizeof in)) throw errno_exception("cannot read the first FUSE request");
    std::memcpy(&in, request.data(), sizeof in);
    if (in.opcode != FUSE_INIT) throw std::runtime_error("the first FUSE request is not INIT");
    struct {
        fuse_out_header header;
        fuse_init_out body;
    } answer{};
    answer.header.len = sizeof answer;
    answer.header.unique = in.unique;
    answer.body.major = FUSE_KERNEL_VERSION;
    answer.body.minor = FUSE_KERNEL_MINOR_VERSION;
    answer.body.max_write = 4096;
    if (::write(fuse_fd_, &answer, sizeof answer) != sizeof answer) throw errno_exception("cannot answer FUSE");
}

void HungMount::wait_until_accessed() const {
    pollfd ready{.fd = fuse_fd_, .events = POLLIN, .revents = 0};
    const auto deadline = std::chrono::duration_cast<std::chrono::milliseconds>(test_timeout).count();
    if (::poll(&ready, 1, static_cast<int>(deadline)) != 1)
        throw std::runtime_error("no process accessed " + path_ + " in time");
}

}  // namespace holdfast::test
