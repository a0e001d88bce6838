#pragma once

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// The width in columns of the terminal behind `fd`; 0 if it is not a terminal.
int terminal_width(int fd);

// Blocks SIGINT, so that it no longer ends the process, and reports it in was_interrupted(). Create it while the
// process has one thread.
class Interrupts {
  public:
    static Interrupts block();
    // Whether a SIGINT arrived since the last call. Does not block.
    bool was_interrupted() const;

  private:
    explicit Interrupts(UniqueFd signals) : signals_(std::move(signals)) {}
    UniqueFd signals_;
};

}  // namespace holdfast::os
