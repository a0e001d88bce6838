#include "json/text.hpp"

namespace holdfast::json {
namespace {

// The length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t at = 1; at < length; ++at) {
        if ((byte(at) & 0xC0) != 0x80) return 0;
    }
    // Overlong forms, surrogates, and code points above U+10FFFF.
    const unsigned char second = byte(1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return length;
}

bool is_control(std::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    if (character.size() == 1) return first < 0x20 || first == 0x7F;
    return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

void append_hexadecimal(std::string& to, char character) {
    constexpr std::string_view digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(character);
    to += {'\\', 'x', digits[byte >> 4U], digits[byte & 0xFU]};
}

// The length of the longest prefix that stays as it is.
std::size_t valid_length(std::string_view text, ControlCharacters controls) {
    std::size_t at = 0;
    while (at < text.size()) {
        if (text[at] >= ' ' && text[at] < '\x7F') {
            ++at;
            continue;
        }
        const std::size_t length = utf8_length(text.substr(at));
        if (length == 0) break;
        if (controls == ControlCharacters::hexadecimal && is_control(text.substr(at, length))) break;
        at += length;
    }
    return at;
}

}  // namespace

bool is_valid(std::string_view text, ControlCharacters controls) { return valid_length(text, controls) == text.size(); }

std::string make_valid(std::string_view text, ControlCharacters controls) {
    std::string result;
    result.reserve(text.size());
    while (true) {
        const std::size_t valid = valid_length(text, controls);
        result += text.substr(0, valid);
        text.remove_prefix(valid);
        if (text.empty()) return result;
        // A control character of two bytes: the second one is then no UTF-8 by itself.
        append_hexadecimal(result, text.front());
        text.remove_prefix(1);
    }
}

}  // namespace holdfast::json
