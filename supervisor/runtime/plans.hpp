#pragma once

#include "base/ids.hpp"

namespace holdfast::runtime {

// Configurations that were read again: the one in force, and those that wait for a reload to take place.
class Plans {
  public:
    void adopt(PlanId) {}
    void drop(PlanId) {}
};

}  // namespace holdfast::runtime
