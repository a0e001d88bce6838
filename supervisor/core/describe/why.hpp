#pragma once
#include <string>
#include <string_view>

#include "core/status.hpp"

namespace holdfast::core {

// Explains why the worker ("2.0") still exists: what it waits for, who requested its end, the deadline of its state and
// what happens then. The name of a failed worker whose slot is empty explains the state of the slot.
std::string explain(const Status& status, std::string_view worker);

}  // namespace holdfast::core
