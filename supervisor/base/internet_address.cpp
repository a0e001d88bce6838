#include "base/internet_address.hpp"

#include <algorithm>
#include <cstddef>

#include "base/text.hpp"

namespace holdfast {
namespace {

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_octet(std::string_view text) {
    if (text.empty() || text.size() > 3 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
    if (text.size() > 1 && text[0] == '0') return false;  // inet_aton(3) reads it as octal
    int value = 0;
    for (const char c : text) value = value * 10 + (c - '0');
    return value <= 255;
}

bool is_zone(std::string_view zone) { return !zone.empty() && zone.size() < 16 && zone.find('/') == zone.npos; }

// Returns the number of 16-bit groups in a part without "::", −1 if it is malformed. The last two groups may be written
// as an IPv4 address.
int count_groups(std::string_view part) {
    int groups = 0;
    while (!part.empty()) {
        const std::size_t colon = part.find(':');
        const std::string_view group = part.substr(0, colon);
        const bool is_last = colon == part.npos;
        if (is_last && is_ipv4(group)) return groups + 2;
        if (group.empty() || group.size() > 4 || !std::all_of(group.begin(), group.end(), is_hex)) return -1;
        ++groups;
        if (is_last) break;
        part.remove_prefix(colon + 1);
        if (part.empty()) return -1;
    }
    return groups;
}

}  // namespace

bool is_ipv4(std::string_view text) {
    for (int octet = 0; octet < 4; ++octet) {
        const std::size_t point = text.find('.');
        if ((point == text.npos) != (octet == 3)) return false;
        if (!is_octet(text.substr(0, point))) return false;
        if (octet < 3) text.remove_prefix(point + 1);
    }
    return true;
}

bool is_ipv6(std::string_view text) {
    if (const std::size_t percent = text.find('%'); percent != text.npos) {
        if (!is_zone(text.substr(percent + 1))) return false;
        text = text.substr(0, percent);
    }
    const std::size_t gap = text.find("::");
    if (gap == text.npos) return count_groups(text) == 8;
    const std::string_view after_gap = text.substr(gap + 2);
    if (after_gap.find("::") != after_gap.npos) return false;
    const int before = count_groups(text.substr(0, gap));
    const int after = count_groups(after_gap);
    return before >= 0 && after >= 0 && before + after <= 7;
}

}  // namespace holdfast
