#pragma once

#include <string>
#include <string_view>

namespace holdfast::api {

// A client's own words as an answer repeats them: not all of them if they are many.
inline std::string shortened(std::string_view text) {
    constexpr std::size_t longest = 80;
    return text.size() <= longest ? std::string(text) : std::string(text.substr(0, longest)) + "...";
}

inline std::string quote_shortened(std::string_view text) { return "\"" + shortened(text) + "\""; }

}  // namespace holdfast::api
