#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::runtime {

// The last lines that a worker wrote to its standard error, so that a message about its end can quote them. Nothing is
// allocated until it writes; never more than max_lines of max_line_bytes are kept, whatever it writes.
class LastLines {
  public:
    static constexpr std::size_t max_lines = 20;
    static constexpr std::size_t max_line_bytes = 256;

    void add(std::string_view bytes);

    // Oldest first, escaped for a terminal; an unfinished last line counts.
    std::vector<std::string> lines() const;

  private:
    void add_to_line(std::string_view piece);
    void end_line();

    std::deque<std::string> lines_;
    std::string unfinished_;
};

}  // namespace holdfast::runtime
