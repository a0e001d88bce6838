#pragma once
#include <string>
#include <string_view>

#include "core/status.hpp"

namespace holdfast::core {

// Why this worker ("2.0") is still here, as a colleague would say it: what it waits for, who asked, when it ends at the
// latest and what happens then. A place that has no worker is known by the name that its last one had.
std::string explain(const Status& status, std::string_view worker);

}  // namespace holdfast::core
