#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>

namespace holdfast::runtime {

// A file descriptor that is registered with the event loop, or nothing.
using Descriptor = std::optional<boost::asio::posix::stream_descriptor>;

// Registers `fd` with the event loop. Returns 0, or the errno if epoll rejects it; then `descriptor` is empty and the
// caller still owns `fd`. Does not use Asio's constructors, because they throw in this case, and that must not end the
// supervisor.
inline int wait_for(Descriptor& descriptor, boost::asio::io_context& io, int fd) {
    boost::system::error_code failed;
    descriptor.emplace(io);
    descriptor->assign(fd, failed);
    if (failed) descriptor.reset();
    return failed.value();
}

// Unregisters a descriptor that is owned by another object.
inline void forget(Descriptor& descriptor) {
    if (descriptor) descriptor->release();
    descriptor.reset();
}

}  // namespace holdfast::runtime
