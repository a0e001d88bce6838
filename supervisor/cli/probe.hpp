#pragma once

#include <string_view>

#include "base/address.hpp"
#include "base/result.hpp"
#include "core/policy.hpp"

namespace holdfast::cli {

// "tcp:ADDRESS", "http:ADDRESS/PATH" (also with "//" before the address), "http:unix:/run/x.sock:/PATH", and
// "http:/PATH", which asks each worker on its private listener. In the result the host is in numbers and none of those
// that mean every address.
Result<core::ReadyProbe> parse_probe(std::string_view text);

// Whether a connection to `address` reaches `held`, which holdfast holds.
bool reaches(const ListenAddress& address, const ListenAddress& held);

}  // namespace holdfast::cli
