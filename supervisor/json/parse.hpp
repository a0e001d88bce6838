#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace holdfast::json {

using boost::json::array;
using boost::json::error_code;
using boost::json::object;
using boost::json::value;

// A document beyond these limits is not parsed. `depth` counts nested arrays and objects; a flat object has depth 1.
struct Limits {
    std::size_t bytes;
    std::size_t depth;
};

// Parses one JSON document; anything but white space behind it is an error. Throws nothing. The error's text is the
// bare cause.
Result<value> parse(std::string_view text, const Limits& limits);

// The document as text, without white space, its members in the order in which they were parsed.
std::string serialize(const value& document);

}  // namespace holdfast::json
