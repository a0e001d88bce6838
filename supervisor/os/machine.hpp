#pragma once

#include <sys/types.h>

#include "base/machine_facts.hpp"

namespace holdfast::os {

// Collects facts about this machine and about the process `pid` (0: this process). Changes nothing and starts nothing.
// Facts that cannot be read are left empty.
MachineFacts inspect_machine(pid_t pid = 0);

}  // namespace holdfast::os
