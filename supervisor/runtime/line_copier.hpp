#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runtime/output.hpp"

namespace holdfast::runtime {

// Copies the output of one process to the standard error of the supervisor. Only complete lines are copied, so that the
// output of different processes does not mix; lines longer than max_line_bytes are copied in pieces.
class LineCopier {
  public:
    static constexpr std::size_t max_line_bytes = 4096;

    void copy(std::string_view bytes, Output& output);

    // Copies an incomplete last line and ends it. Call it when the process has ended.
    void finish(Output& output);

  private:
    std::string unfinished_;
};

}  // namespace holdfast::runtime
