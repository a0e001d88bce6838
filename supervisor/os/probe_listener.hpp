#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A unix listener that only one worker inherits, so that a probe reaches exactly this worker. Only our uid and root may
// connect. The destructor removes the socket file, and the directory if one was created for it.
class ProbeListener {
  public:
    // Binds to `<directory>/probe-<worker>` and replaces a socket file left there by a dead supervisor. With an empty
    // directory, or a path that is too long for a unix address, it creates its own directory below `fallback`.
    static Result<ProbeListener> open(const std::string& directory, std::string_view worker,
                                      const std::string& fallback = "/tmp");

    ProbeListener(ProbeListener&& other) noexcept;
    ProbeListener& operator=(ProbeListener&& other) noexcept;
    ~ProbeListener();

    int fd() const { return fd_.get(); }
    const SocketAddress& address() const { return address_; }

  private:
    ProbeListener() = default;
    Result<void> bind(const std::string& path);
    void remove() noexcept;

    UniqueFd fd_;
    SocketAddress address_;
    std::string path_;    // path of the socket file; empty: not bound
    std::string folder_;  // directory that was created for it; empty: none
};

}  // namespace holdfast::os
