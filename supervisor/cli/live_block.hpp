#pragma once

#include <ostream>
#include <string>

namespace holdfast::cli {

// A block of lines on a terminal that is updated in place. Each line must be shorter than the terminal's width.
class LiveBlock {
  public:
    explicit LiveBlock(std::ostream& terminal) : terminal_(terminal) {}

    // Replaces the block by `text`. Writes nothing if the text has not changed.
    void show(const std::string& text);
    // Erases the block and moves the cursor to where it began.
    void clear();

  private:
    std::ostream& terminal_;
    std::string shown_;
};

}  // namespace holdfast::cli
