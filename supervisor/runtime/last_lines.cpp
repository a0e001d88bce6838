#include "runtime/last_lines.hpp"

#include <algorithm>
#include <utility>

#include "wire/wire.hpp"

namespace holdfast::runtime {

void LastLines::add(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        add_to_line(bytes.substr(0, end));
        if (end == std::string_view::npos) return;
        end_line();
        bytes.remove_prefix(end + 1);
    }
}

std::vector<std::string> LastLines::lines() const {
    std::vector<std::string> result;
    result.reserve(lines_.size() + 1);
    for (const auto& line : lines_) result.push_back(wire::printable(line));
    if (!unfinished_.empty()) result.push_back(wire::printable(unfinished_));
    if (result.size() > max_lines) result.erase(result.begin());
    return result;
}

void LastLines::add_to_line(std::string_view piece) {
    unfinished_ += piece.substr(0, std::min(piece.size(), max_line_bytes - unfinished_.size()));
}

void LastLines::end_line() {
    lines_.push_back(std::exchange(unfinished_, {}));
    if (lines_.size() > max_lines) lines_.pop_front();
}

}  // namespace holdfast::runtime
