#pragma once

#include <string_view>

#include "base/result.hpp"
#include "os/packet.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// The service manager that started us, notified with the protocol of sd_notify(3). Never blocks.
class ServiceManager {
  public:
    // Reads $NOTIFY_SOCKET and unsets it, because workers have their own. Without the variable there is no service
    // manager, which is not an error. A malformed address is an error to be logged, not a reason to exit. Call it while
    // the process has one thread.
    static Result<ServiceManager> from_environment();

    bool is_there() const { return static_cast<bool>(socket_); }

    // Sends "READY=1" or several lines. `full`: not delivered; repeat it later if it matters. `lost`: there is no
    // service manager.
    SendResult notify(std::string_view message) const;

  private:
    UniqueFd socket_;
    SocketAddress address_;
};

}  // namespace holdfast::os
