#pragma once

#include <ostream>
#include <string>

namespace holdfast::cli {

// Lines at the bottom of a terminal that are written anew in place. Every line of it has to be shorter than the
// terminal is wide.
class LiveBlock {
  public:
    explicit LiveBlock(std::ostream& terminal) : terminal_(terminal) {}

    // Nothing is written where nothing has changed.
    void show(const std::string& text);
    // Takes the block away; the cursor is where it began.
    void clear();

  private:
    std::ostream& terminal_;
    std::string shown_;
};

}  // namespace holdfast::cli
