#pragma once

#include <string_view>

#include "base/result.hpp"
#include "os/packet.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// The service manager above us, as sd_notify(3) speaks with it. Never blocks.
class ServiceManager {
  public:
    // Takes $NOTIFY_SOCKET and unsets it: our workers have their own. No variable: nobody is told, and no error. A
    // variable that is no address is an error worth a line in the log, not an end. While there is one thread.
    static Result<ServiceManager> from_environment();

    bool is_there() const { return static_cast<bool>(socket_); }

    // "READY=1", or several lines. `full` means not told: say it again later, where it matters. `lost` where nobody is
    // there.
    SendResult notify(std::string_view message) const;

  private:
    UniqueFd socket_;
    SocketAddress address_;
};

}  // namespace holdfast::os
