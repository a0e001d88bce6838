#pragma once

#include <holdfast/resource.hpp>

#include "handles.hpp"

namespace holdfast::c {

// The number that stands for a task or a resource: its kind in the upper half, so that 1 to 4 are left for
// enum holdfast_all.
holdfast_user number_of(User user);

// The reverse; refuses what this worker did not give out. The worker's mutex has to be held.
User user_of(const holdfast_worker& worker, holdfast_user number);
Resource& resource_of(holdfast_worker& worker, holdfast_user number);

}  // namespace holdfast::c
