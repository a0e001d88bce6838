#pragma once

#include <string_view>

namespace holdfast {

// Whether the text is a numeric address: "127.0.0.1"; "::1", "fe80::1%eth0".
bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);

}  // namespace holdfast
