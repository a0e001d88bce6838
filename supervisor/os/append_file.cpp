#include "os/append_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "os/errno_error.hpp"

namespace holdfast::os {

Result<void> AppendFile::append(std::string_view line) {
    if (!file_ || is_gone()) {
        if (auto opened = open(); !opened) return opened;
    }
    auto filled = size();
    if (!filled) return filled.error();
    if (*filled > 0 && *filled + line.size() + 1 > limit_) {
        if (::renameat(directory_fd_, name_.c_str(), directory_fd_, (name_ + ".1").c_str()) != 0) {
            return errno_error("rename " + name_);
        }
        if (auto opened = open(); !opened) return opened;
        filled = size();
        if (!filled) return filled.error();
    }
    if (last_line_ == LastLine::whole) return write(line, *filled);
    return write("\n" + std::string(line), *filled);
}

Result<void> AppendFile::open() {
    file_.reset(::openat(directory_fd_, name_.c_str(),
                         O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
    if (!file_) return errno_error("open " + name_);
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) return errno_error("stat " + name_);
    if (!S_ISREG(status.st_mode)) {
        file_.reset();
        return error("cannot write to " + name_ + ": it is not a regular file", EINVAL);
    }
    char last = '\n';
    if (status.st_size > 0) static_cast<void>(!::pread(file_.get(), &last, 1, status.st_size - 1));
    last_line_ = last == '\n' ? LastLine::whole : LastLine::torn;
    return {};
}

bool AppendFile::is_gone() const {
    struct stat status {};
    return ::fstat(file_.get(), &status) != 0 || status.st_nlink == 0;
}

Result<std::uint64_t> AppendFile::size() const {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) return errno_error("stat " + name_);
    return static_cast<std::uint64_t>(status.st_size);
}

Result<void> AppendFile::write(std::string_view bytes, std::uint64_t size_before) {
    ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    while (written < 0 && errno == EINTR) written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written == static_cast<ssize_t>(bytes.size())) {
        last_line_ = LastLine::whole;
        return {};
    }
    int failed = written < 0 ? errno : ENOSPC;
    if (written > 0) {
        // A short write does not set errno. Writing the rest gives the cause; whatever it writes is truncated as well.
        const auto rest = bytes.substr(static_cast<std::size_t>(written));
        const ssize_t more = ::write(file_.get(), rest.data(), rest.size());
        if (more < 0) failed = errno;
        const int cut = ::ftruncate(file_.get(), static_cast<off_t>(size_before));
        if (cut != 0) last_line_ = LastLine::torn;
    }
    return errno_error("write to " + name_, failed);
}

}  // namespace holdfast::os
