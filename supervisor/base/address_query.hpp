#pragma once

#include <string_view>

#include "base/address.hpp"
#include "base/result.hpp"

namespace holdfast {

// Sets the keys of `query`, "backlog=100&nonblock", in an address whose family and host are known already.
Result<void> apply_query(ListenAddress& address, std::string_view query);

}  // namespace holdfast
