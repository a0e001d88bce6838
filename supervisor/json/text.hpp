#pragma once

#include <string>
#include <string_view>

namespace holdfast::json {

// What make_valid() does with control characters (U+0000 to U+001F, U+007F to U+009F).
enum class ControlCharacters {
    keep,        // a reader of the JSON decodes the same text
    hexadecimal  // written as \xNN for each byte, so that the text is also safe on a terminal after decoding
};

// Whether make_valid() would return `text` unchanged.
bool is_valid(std::string_view text, ControlCharacters controls);

// The text as UTF-8, which JSON requires: each byte that is not part of a well-formed UTF-8 sequence is replaced by the
// four characters \xNN.
std::string make_valid(std::string_view text, ControlCharacters controls);

}  // namespace holdfast::json
