#include "cli/json_text.hpp"

namespace holdfast::cli {

std::string json_string(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string json = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            json += {'\\', c};
        } else if (byte < 0x20 || byte == 0x7f) {
            json += {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 0xF]};
        } else {
            json += c;
        }
    }
    return json + '"';
}

}  // namespace holdfast::cli
