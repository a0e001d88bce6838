#pragma once

#include <sys/types.h>

#include "base/machine_facts.hpp"

namespace holdfast::os {

// Looks at the machine and at the process `pid`, 0 for this one. Changes nothing, starts nothing; what cannot be read
// is left empty.
MachineFacts inspect_machine(pid_t pid = 0);

}  // namespace holdfast::os
