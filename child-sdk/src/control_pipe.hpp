#pragma once

#include <holdfast/message.hpp>
#include <optional>

#include "unique_fd.hpp"

namespace holdfast {

// The worker's end of the control pipe. Without a supervisor there is no pipe, and messages are discarded.
class ControlPipe {
  public:
    explicit ControlPipe(UniqueFd fd);

    bool exists() const { return static_cast<bool>(fd_); }
    int fd() const { return fd_.get(); }

    enum class Delivery {
        best_effort,  // may be dropped, because the next message contains the same and more
        blocking,     // waits up to one second for room in the pipe, then drops the message
    };

    // May be called from any thread. Ignores errors: the supervisor may have ended or may not read.
    void send(const Report& report, Delivery delivery = Delivery::blocking) const;

    // Returns the next valid command and skips invalid messages. Returns nothing if no command is queued; poll(2) the
    // descriptor then. Never blocks.
    std::optional<Command> receive() const;

    // Whether the supervisor has closed its end. Commands that it sent before may still be unread.
    bool is_lost() const;

    // A descriptor that is readable once the process that created the pipe has ended. -1 if there is none: the process
    // is not visible from here, or it is this one.
    int supervisor_fd() const { return supervisor_.get(); }

  private:
    UniqueFd fd_;
    UniqueFd supervisor_;  // a pidfd
};

}  // namespace holdfast
