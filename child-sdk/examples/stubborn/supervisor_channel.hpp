#pragma once

#include <string>
#include <string_view>
#include <vector>

// The ways to reach the supervisor, without the SDK: nothing in here is careful.
class SupervisorChannel {
  public:
    enum class Transport { control_pipe, notify_socket };

    explicit SupervisorChannel(Transport transport);

    int fd() const { return fd_; }

    // False: it was not taken (nobody there, or no room).
    bool send(std::string_view message, const std::vector<int>& descriptors = {}) const;

    // The next command; empty: none now. Closed pipes are forgotten.
    std::string receive();

  private:
    int fd_ = -1;
};
