#pragma once

#include <string>
#include <string_view>

namespace holdfast::api {

// Text from a request for repetition in an error message, cut to 80 bytes.
inline std::string shortened(std::string_view text) {
    constexpr std::size_t longest = 80;
    return text.size() <= longest ? std::string(text) : std::string(text.substr(0, longest)) + "...";
}

inline std::string quote_shortened(std::string_view text) { return "\"" + shortened(text) + "\""; }

}  // namespace holdfast::api
