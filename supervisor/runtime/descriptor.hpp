#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>

namespace holdfast::runtime {

// A descriptor that the loop waits for, or nothing.
using Descriptor = std::optional<boost::asio::posix::stream_descriptor>;

// Puts `fd` under the loop's eyes. Returns 0, or the errno of the epoll that took no more (then `fd` is the caller's
// still, and `descriptor` is empty): Asio's constructors throw there, and the supervisor must not end of it.
inline int wait_for(Descriptor& descriptor, boost::asio::io_context& io, int fd) {
    boost::system::error_code failed;
    descriptor.emplace(io);
    descriptor->assign(fd, failed);
    if (failed) descriptor.reset();
    return failed.value();
}

// Gives up waiting for a descriptor that somebody else owns.
inline void forget(Descriptor& descriptor) {
    if (descriptor) descriptor->release();
    descriptor.reset();
}

}  // namespace holdfast::runtime
