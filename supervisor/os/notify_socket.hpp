#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/packet.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// NOTIFY_SOCKET of one worker: the socket is the identity. A datagram socket that every uid may write to, which is why
// each packet's `sender` must be compared with the worker's uid. Its file, if it has one, goes with it.
class NotifySocket {
  public:
    // Lies at `<directory>/notify-<worker>`, replacing what a dead supervisor left there. With an empty directory, or a
    // path longer than a unix address can be, it gets an abstract name that nobody can guess.
    static Result<NotifySocket> open(const std::string& directory, std::string_view worker);

    NotifySocket(NotifySocket&& other) noexcept;
    NotifySocket& operator=(NotifySocket&& other) noexcept;
    ~NotifySocket();

    int fd() const { return fd_.get(); }
    // The variable's value: a path, or '@' and the abstract name.
    const std::string& address() const { return address_; }

    // Never blocks. The packet has a sender.
    Packet receive(std::span<char> buffer) const { return receive_packet(fd_.get(), buffer); }

    // Its end, as os::close_channel ends a channel; empty afterwards.
    [[nodiscard]] std::vector<UniqueFd> close_channel();

  private:
    NotifySocket(UniqueFd fd, std::string address) : fd_(std::move(fd)), address_(std::move(address)) {}
    void remove() noexcept;

    UniqueFd fd_;
    std::string address_;
};

}  // namespace holdfast::os
