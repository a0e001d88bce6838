#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/wire.hpp"

namespace holdfast::wire {

namespace {

struct Character {
    char32_t code = 0;
    std::size_t bytes = 0;  // 0: not UTF-8
};

std::uint8_t byte_at(std::string_view text, std::size_t index) { return static_cast<std::uint8_t>(text[index]); }

bool is_continuation(std::uint8_t byte) { return (byte & 0xC0U) == 0x80U; }

// Returns the length in bytes of the character that begins with `lead`; 0 if no character does.
std::size_t length_from(std::uint8_t lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead < 0xE0) return 2;
    if (lead >= 0xE0 && lead < 0xF0) return 3;
    if (lead >= 0xF0 && lead < 0xF5) return 4;
    return 0;
}

Character first_character(std::string_view text) {
    const std::size_t length = length_from(byte_at(text, 0));
    if (length == 0 || length > text.size()) return {};
    if (length == 1) return {byte_at(text, 0), 1};
    char32_t code = byte_at(text, 0) & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(byte_at(text, i))) return {};
        code = code << 6U | (byte_at(text, i) & 0x3FU);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
    return {code, length};
}

// Whether the character moves the cursor, breaks the line, or changes the text direction.
bool is_deceptive(char32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || code == 0x200E || code == 0x200F ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void append_hex(std::string& out, char32_t value, unsigned digits) {
    constexpr std::string_view hex = "0123456789abcdef";
    for (unsigned i = digits; i-- > 0;) out += hex[value >> (4 * i) & 0xFU];
}

void append_escaped(std::string& out, char32_t code) {
    if (code == '\n') {
        out += "\\n";
    } else if (code == '\t') {
        out += "\\t";
    } else if (code == '\r') {
        out += "\\r";
    } else if (code < 0x100) {
        out += "\\x";
        append_hex(out, code, 2);
    } else {
        out += "\\u";
        append_hex(out, code, 4);
    }
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_character(text);
        const std::size_t bytes = character.bytes == 0 ? 1 : character.bytes;
        if (character.bytes == 0) {
            append_escaped(out, byte_at(text, 0));
        } else if (is_deceptive(character.code)) {
            append_escaped(out, character.code);
        } else {
            out += text.substr(0, bytes);
        }
        text.remove_prefix(bytes);
    }
    return out;
}

std::string_view cut(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return text;
    std::size_t end = limit;
    // A character has at most four bytes: with more than three continuation bytes before the cut, the text is not
    // UTF-8.
    for (std::size_t back = 0; back < 3 && end > 0 && is_continuation(byte_at(text, end)); ++back) --end;
    if (is_continuation(byte_at(text, end))) end = limit;
    return text.substr(0, end);
}

}  // namespace holdfast::wire
