#pragma once

#include <vector>

#include "os/unique_fd.hpp"

namespace holdfast::os {

// Descriptors that are kept open for nothing, so that they can be closed where some are needed although clients and
// workers hold all others: without one, no process can be looked at. Not thread-safe; another thread may take what was
// closed.
class DescriptorReserve {
  public:
    explicit DescriptorReserve(int count);

    // Closes the reserve, calls `look`, and opens it again as far as possible.
    template <class Look>
    auto lend(Look look) {
        descriptors_.clear();
        auto result = look();
        refill();
        return result;
    }

  private:
    void refill();

    const int count_;
    std::vector<UniqueFd> descriptors_;
};

}  // namespace holdfast::os
