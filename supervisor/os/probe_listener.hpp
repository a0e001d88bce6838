#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "os/socket_address.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A unix listener of one worker alone, which inherits it: who is asked there is this worker and no other. Only our uid
// (and root) may connect. Its file, and the folder where one was made for it, go with it.
class ProbeListener {
  public:
    // Lies at `<directory>/probe-<worker>`, replacing what a dead supervisor left there. With an empty directory, or a
    // path longer than a unix address can be, in a folder of its own below `fallback`.
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
    std::string path_;    // bound there; empty: not bound
    std::string folder_;  // made for it alone; empty: none
};

}  // namespace holdfast::os
