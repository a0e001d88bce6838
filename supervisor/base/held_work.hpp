#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// An item that a worker holds: its kind in the protocol ("request"), and its name and age for display.
struct HeldItem {
    std::string kind;
    std::string text;
};

// The number of items of a kind.
struct HeldItemCount {
    std::string kind;
    std::uint64_t count = 0;
};

// Describes the items that a worker holds, grouped by kind: "request GET /a (2.5s); 64 sessions, the oldest: /x (9.0s),
// /y (8.5s), /z (8.0s); 2 tasks: one (9.0s), two (9.0s)". `items` must be sorted by age. The kinds are in the order of
// `counts`, then of `items`; a kind without a count is counted by its items. The text is short: at most 8 kinds, and at
// most 3 names of each. Empty if nothing is held.
std::string describe_held(const std::vector<HeldItem>& items, const std::vector<HeldItemCount>& counts);

// "3 requests", "1 task", "4 items of work"
std::string count_of(std::string_view kind, std::uint64_t count);

}  // namespace holdfast
