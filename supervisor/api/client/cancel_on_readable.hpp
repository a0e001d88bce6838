#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "base/result.hpp"

namespace holdfast::api {

// Calls `then` once, in the event loop `io`, when `fd` becomes readable. Does not read from or close `fd`.
class CancelOnReadable {
  public:
    // `fd` < 0: `then` is never called.
    CancelOnReadable(boost::asio::io_context& io, int fd, std::function<void()> then);
    ~CancelOnReadable();
    CancelOnReadable(const CancelOnReadable&) = delete;
    CancelOnReadable& operator=(const CancelOnReadable&) = delete;

  private:
    boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace holdfast::api
