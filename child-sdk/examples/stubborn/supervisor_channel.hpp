#pragma once

#include <string>
#include <string_view>
#include <vector>

// A connection to the supervisor without the SDK, and without its precautions.
class SupervisorChannel {
  public:
    enum class Transport { control_pipe, notify_socket };

    explicit SupervisorChannel(Transport transport);

    int fd() const { return fd_; }

    // Returns false if the message was not sent: no receiver, or a full buffer.
    bool send(std::string_view message, const std::vector<int>& descriptors = {}) const;

    // Returns the next command; empty if there is none. Forgets the descriptor at the end of the stream.
    std::string receive();

  private:
    int fd_ = -1;
};
