#include "cli/live_block.hpp"

#include <algorithm>

namespace holdfast::cli {

void LiveBlock::show(const std::string& text) {
    if (text == shown_) return;
    clear();
    terminal_ << text << std::flush;
    shown_ = text;
}

void LiveBlock::clear() {
    if (shown_.empty()) return;
    const auto lines = std::ranges::count(shown_, '\n');
    terminal_ << "\r\x1b[" << lines << "A\x1b[J" << std::flush;
    shown_.clear();
}

}  // namespace holdfast::cli
