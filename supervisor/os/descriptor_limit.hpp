#pragma once

#include "base/launch_options.hpp"
#include "base/result.hpp"

namespace holdfast::os {

// Raises the soft limit of open files of this process to the hard one, because the supervisor holds descriptors for
// each worker. Returns what it was, which the workers are started with: a program that uses select(2) must not get
// descriptors beyond 1023 unasked.
Result<ResourceLimit> raise_descriptor_limit();

}  // namespace holdfast::os
