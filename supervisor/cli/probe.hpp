#pragma once

#include <string_view>

#include "base/address.hpp"
#include "base/result.hpp"
#include "core/policy.hpp"

namespace holdfast::cli {

// Parses "tcp:ADDRESS", "http:ADDRESS/PATH" (also with "//" before the address), "http:unix:/run/x.sock:/PATH", and
// "http:/PATH", which probes each worker on its private listener. The host of the result is numeric and not a wildcard.
Result<core::ReadyProbe> parse_probe(std::string_view text);

// Whether a connection to `address` could be accepted on `held`, an address on which holdfast listens.
bool reaches(const ListenAddress& address, const ListenAddress& held);

}  // namespace holdfast::cli
