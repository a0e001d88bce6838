#pragma once

#include <holdfast/message.hpp>
#include <optional>

#include "unique_fd.hpp"

namespace holdfast {

// The worker's end of the control pipe; without a supervisor, nothing: what is said goes nowhere.
class ControlPipe {
  public:
    explicit ControlPipe(UniqueFd fd) : fd_(std::move(fd)) {}

    bool exists() const { return static_cast<bool>(fd_); }
    int fd() const { return fd_.get(); }

    enum class Delivery {
        best_effort,  // the next one says the same and more: may be dropped
        blocking,     // waits a second for room in the pipe before it is given up
    };

    // Any thread. A supervisor that is gone or does not read is no error: it will find out.
    void send(const Report& report, Delivery delivery = Delivery::blocking) const;

    // The next command that makes sense; others are skipped. Empty: nothing more for now, poll(2) tells when. Never
    // blocks.
    std::optional<Command> receive() const;

    // Whether the supervisor has hung up. Commands that it sent before may still be unread.
    bool is_lost() const;

  private:
    UniqueFd fd_;
};

}  // namespace holdfast
