#include "api/server/json_writer.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace holdfast::api {
namespace {

// How many bytes the well-formed UTF-8 sequence at the front of `text` has; 0 if there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t at = 1; at < length; ++at) {
        if ((byte(at) & 0xC0) != 0x80) return 0;
    }
    // Overlong forms, surrogates, and what lies beyond U+10FFFF.
    const unsigned char second = byte(1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
    return length;
}

bool is_control(std::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    if (character.size() == 1) return first < 0x20 || first == 0x7F;
    return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;  // C1
}

void append_escaped_byte(std::string& to, char byte) {
    std::array<char, 8> hex{};
    std::snprintf(hex.data(), hex.size(), "\\\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    to += hex.data();
}

}  // namespace

void JsonWriter::separate() {
    if (!text_.empty() && text_.back() != '{' && text_.back() != '[' && text_.back() != ':') text_ += ',';
}

JsonWriter& JsonWriter::raw(std::string_view literal) {
    separate();
    text_ += literal;
    return *this;
}

JsonWriter& JsonWriter::open_object() { return raw("{"); }
JsonWriter& JsonWriter::open_array() { return raw("["); }

JsonWriter& JsonWriter::close_object() {
    text_ += '}';
    return *this;
}

JsonWriter& JsonWriter::close_array() {
    text_ += ']';
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    value(name);
    text_ += ':';
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    text_ += '"';
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const std::string_view character = text.substr(0, length == 0 ? 1 : length);
        if (length == 0 || is_control(character)) {
            for (const char byte : character) append_escaped_byte(text_, byte);
        } else {
            if (character == "\"" || character == "\\") text_ += '\\';
            text_ += character;
        }
        text.remove_prefix(character.size());
    }
    text_ += '"';
    return *this;
}

JsonWriter& JsonWriter::value(Duration duration) {
    std::array<char, 32> digits{};
    const std::int64_t usec = duration.count() < 0 ? 0 : duration.count();
    std::snprintf(digits.data(), digits.size(), "%lld.%03lld", static_cast<long long>(usec / 1'000'000),
                  static_cast<long long>(usec / 1'000 % 1'000));
    return raw(digits.data());
}

}  // namespace holdfast::api
