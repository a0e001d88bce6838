#pragma once

#include <string>
#include <vector>

#include "base/ids.hpp"
#include "core/action.hpp"

namespace holdfast::runtime {

// The ledger of generations: a JSON object a line, appended to a file in the state directory. Bounded in size, whole
// after a full disk or a torn write.
class Ledger {
  public:
    void record(const core::Record& record);

    // The last generation that it tells of; 0: none.
    Generation last_generation() const { return {}; }

    // Its lines, oldest first.
    std::vector<std::string> lines() const { return {}; }
};

}  // namespace holdfast::runtime
