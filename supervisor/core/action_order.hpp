#pragma once

#include <vector>

#include "core/action.hpp"

namespace holdfast::core {

// Returns the actions of one step in the order in which the runtime executes them:
//
// 1. everything that has an effect outside: a replacement is launched before its predecessor is dropped, and nothing
//    waits for a log line. Finish is the last of these: the clients of the API get the outcome as their answer, and not
//    the last log lines as well.
// 2. Note
// 3. CheckBacklogs, whose log lines follow those of the worker that it is for
// 4. Forget
//
// Actions of the same group keep the order in which the core added them.
std::vector<Action> in_execution_order(std::vector<Action> actions);

}  // namespace holdfast::core
