#include "os/pipe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "os/errno_error.hpp"

namespace holdfast::os {

Result<OutputPipe> open_output_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("create a pipe for a worker's output");
    OutputPipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
    // The two ends have separate open file descriptions: the worker's end stays blocking.
    if (::fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("set a pipe to non-blocking mode");
    // Without /proc the write-only end is used; a worker that outlives us then gets SIGPIPE.
    UniqueFd both_ways{
        ::open(("/proc/self/fd/" + std::to_string(pipe.writer.get())).c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY)};
    if (both_ways) pipe.writer = std::move(both_ways);
    return pipe;
}

Chunk read_chunk(int reader_fd, std::span<char> buffer) {
    ssize_t size = 0;
    do {
        size = ::read(reader_fd, buffer.data(), buffer.size());
    } while (size < 0 && errno == EINTR);
    if (size > 0) return {Reading::bytes, static_cast<std::size_t>(size)};
    if (size < 0 && errno == EAGAIN) return {Reading::nothing, 0};
    return {Reading::end, 0};
}

}  // namespace holdfast::os
