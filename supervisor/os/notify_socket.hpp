#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "os/packet.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// NOTIFY_SOCKET of one worker: the socket identifies the worker. Every uid may send to this datagram socket, so the
// `sender` of each packet must be compared with the worker's uid. The destructor removes its file, if it has one.
class NotifySocket {
  public:
    // Binds to `<directory>/notify-<worker>` and replaces a socket file left there by a dead supervisor. With an empty
    // directory, or a path that is too long for a unix address, it uses a random abstract name.
    static Result<NotifySocket> open(const std::string& directory, std::string_view worker);

    NotifySocket(NotifySocket&& other) noexcept;
    NotifySocket& operator=(NotifySocket&& other) noexcept;
    ~NotifySocket();

    int fd() const { return fd_.get(); }
    // The value of the variable: a path, or '@' and the abstract name.
    const std::string& address() const { return address_; }

    // Never blocks. Every packet has a sender.
    Packet receive(std::span<char> buffer) const { return receive_packet(fd_.get(), buffer); }

    // Closes the socket like os::close_channel; the object is empty afterwards.
    [[nodiscard]] std::vector<UniqueFd> close_channel();

  private:
    NotifySocket(UniqueFd fd, std::string address) : fd_(std::move(fd)), address_(std::move(address)) {}
    void remove() noexcept;

    UniqueFd fd_;
    std::string address_;
};

}  // namespace holdfast::os
