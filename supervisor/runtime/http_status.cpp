#include "runtime/http_status.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace holdfast::runtime {

namespace {

constexpr std::string_view pattern = "HTTP/1.d ddd";  // 'd' stands for a digit

bool fits(char wanted, char character) { return wanted == 'd' ? is_digit(character) : wanted == character; }

}  // namespace

HttpStatus read_http_status(std::string_view beginning) {
    const std::size_t shown = std::min(beginning.size(), pattern.size());
    if (!std::equal(pattern.begin(), pattern.begin() + static_cast<std::ptrdiff_t>(shown), beginning.begin(), fits)) {
        return {HttpStatus::Reading::not_http};
    }
    // The character after the status code is needed to see that the code is complete.
    if (beginning.size() <= pattern.size()) return {};
    const char next = beginning[pattern.size()];
    if (next != ' ' && next != '\r' && next != '\n') return {HttpStatus::Reading::not_http};
    int code = 0;
    for (const char digit : beginning.substr(pattern.size() - 3, 3)) code = code * 10 + (digit - '0');
    if (code < 100) return {HttpStatus::Reading::not_http};
    return {HttpStatus::Reading::known, code};
}

}  // namespace holdfast::runtime
