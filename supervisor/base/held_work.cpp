#include "base/held_work.hpp"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::size_t most_kinds = 8;
constexpr std::size_t most_named = 3;

struct Group {
    std::string kind;
    std::uint64_t count = 0;
    std::vector<const std::string*> texts;
};

Group& group_of(std::vector<Group>& groups, const std::string& kind) {
    const auto found = std::ranges::find(groups, kind, &Group::kind);
    if (found != groups.end()) return *found;
    return groups.emplace_back(Group{kind, 0, {}});
}

std::vector<Group> group(const std::vector<HeldItem>& items, const std::vector<HeldItemCount>& counts) {
    std::vector<Group> groups;
    for (const HeldItemCount& count : counts) group_of(groups, count.kind).count = count.count;
    for (const HeldItem& item : items) group_of(groups, item.kind).texts.push_back(&item.text);
    for (Group& each : groups) each.count = std::max<std::uint64_t>(each.count, each.texts.size());
    std::erase_if(groups, [](const Group& each) { return each.count == 0; });
    return groups;
}

std::string describe(const Group& group) {
    if (group.count == 1 && !group.texts.empty()) return group.kind + " " + *group.texts.front();
    std::string text = count_of(group.kind, group.count);
    const std::size_t named = std::min(group.texts.size(), most_named);
    if (named == 0) return text;
    if (named < group.count) text += group.kind == "resource" ? ", the next to close" : ", the oldest";
    for (std::size_t i = 0; i < named; ++i) text += (i == 0 ? ": " : ", ") + *group.texts[i];
    return text;
}

}  // namespace

std::string count_of(std::string_view kind, std::uint64_t count) {
    const std::string number = std::to_string(count) + " ";
    if (kind == "work") return number + (count == 1 ? "item of work" : "items of work");
    return number + std::string(kind) + (count == 1 ? "" : "s");
}

std::string describe_held(const std::vector<HeldItem>& items, const std::vector<HeldItemCount>& counts) {
    const std::vector<Group> groups = group(items, counts);
    std::string text;
    for (std::size_t i = 0; i < std::min(groups.size(), most_kinds); ++i) {
        text += (i == 0 ? "" : "; ") + describe(groups[i]);
    }
    if (groups.size() > most_kinds) text += "; and " + std::to_string(groups.size() - most_kinds) + " more kinds";
    return text;
}

}  // namespace holdfast
