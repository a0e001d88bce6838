#include "api/client/cancel_on_readable.hpp"

#include <utility>

namespace holdfast::api {

using boost::system::error_code;

CancelOnReadable::CancelOnReadable(boost::asio::io_context& io, int fd, std::function<void()> then) : descriptor_(io) {
    if (fd < 0) return;
    error_code failure;
    descriptor_.assign(fd, failure);
    if (failure) return;
    descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [then = std::move(then)](const error_code& aborted) {
                               if (!aborted) then();
                           });
}

CancelOnReadable::~CancelOnReadable() {
    if (descriptor_.is_open()) descriptor_.release();
}

}  // namespace holdfast::api
