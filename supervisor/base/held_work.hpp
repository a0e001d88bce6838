#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// One thing that a worker holds: its kind as the protocol says it ("request"), and name and age as they are shown.
struct HeldItem {
    std::string kind;
    std::string text;
};

// How many of a kind it holds.
struct HeldItemCount {
    std::string kind;
    std::uint64_t count = 0;
};

// What a worker holds, for people, a kind after the other: "request GET /a (2.5s); 64 sessions, the oldest: /x (9.0s),
// /y (8.5s), /z (8.0s); 2 tasks: one (9.0s), two (9.0s)". Things are in their order of age. Kinds come as in `numbers`,
// then as in `things`; one that is not numbered counts as often as it is named. However much a worker holds, it stays
// short: at most 3 of a kind are named, and at most 8 kinds. Empty: it holds nothing.
std::string describe_held(const std::vector<HeldItem>& things, const std::vector<HeldItemCount>& numbers);

// "3 requests", "1 task", "4 items of work"
std::string count_of(std::string_view kind, std::uint64_t count);

}  // namespace holdfast
