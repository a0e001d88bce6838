#include "os/read_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "os/errno_error.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

Result<std::string> read_file(const std::string& path, std::size_t limit) {
    constexpr std::size_t step = 4096;
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
    if (!file) return errno_error("read " + path);
    std::string content;
    for (;;) {
        const std::size_t filled = content.size();
        if (filled > limit) return errno_error("read " + path, EFBIG);
        content.resize(filled + step);
        const ssize_t got = ::read(file.get(), content.data() + filled, step);
        const int error_number = errno;
        content.resize(filled + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got < 0 && error_number == EINTR) continue;
        if (got < 0) return errno_error("read " + path, error_number);
        if (got == 0) return Result<std::string>(boost::system::in_place_value, std::move(content));
    }
}

}  // namespace holdfast::os
