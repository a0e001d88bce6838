#pragma once

#include <holdfast/resource.hpp>

#include "objects.hpp"

namespace holdfast::c {

// The number of a task or a resource. The kind is in the upper half, so that 1 to 4 are free for enum holdfast_all.
holdfast_user number_of(User user);

// The reverse. Throws for numbers that this worker did not return. Call with the worker's mutex held.
User user_of(const WorkerObject& worker, holdfast_user number);
Resource& resource_of(WorkerObject& worker, holdfast_user number);

}  // namespace holdfast::c
