#pragma once

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// Columns of the terminal behind `fd`; 0 where there is none.
int terminal_width(int fd);

// From now on SIGINT ends nothing, it waits to be seen by was_interrupted(). While there is one thread.
class Interrupts {
  public:
    static Interrupts block();
    // Whether one came since. Does not block.
    bool was_interrupted() const;

  private:
    explicit Interrupts(UniqueFd signals) : signals_(std::move(signals)) {}
    UniqueFd signals_;
};

}  // namespace holdfast::os
