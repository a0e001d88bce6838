#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "base/result.hpp"

namespace holdfast::api {

// Hears in somebody's loop that the caller wants to wait no longer: a descriptor of the caller's gets readable. Nothing
// is read from it, and it is not closed.
class CancelOnReadable {
  public:
    // `fd` < 0: never. `then` is called once.
    CancelOnReadable(boost::asio::io_context& io, int fd, std::function<void()> then);
    ~CancelOnReadable();
    CancelOnReadable(const CancelOnReadable&) = delete;
    CancelOnReadable& operator=(const CancelOnReadable&) = delete;

  private:
    boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace holdfast::api
