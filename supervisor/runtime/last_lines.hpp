#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::runtime {

// The last lines that a worker wrote to its standard error, for messages about its exit. Allocates nothing before the
// first line and keeps at most max_lines lines of max_line_bytes bytes.
class LastLines {
  public:
    static constexpr std::size_t max_lines = 20;
    static constexpr std::size_t max_line_bytes = 256;

    void add(std::string_view bytes);

    // The lines, oldest first, escaped for a terminal, including an incomplete last line.
    std::vector<std::string> lines() const;

  private:
    void add_to_line(std::string_view piece);
    void end_line();

    std::deque<std::string> lines_;
    std::string unfinished_;
};

}  // namespace holdfast::runtime
