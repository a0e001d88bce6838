#pragma once

#include <string_view>

#include "base/address.hpp"
#include "base/result.hpp"

namespace holdfast {

// Applies a query such as "backlog=100&nonblock" to an address. Its family and host must already be set.
Result<void> apply_query(ListenAddress& address, std::string_view query);

}  // namespace holdfast
