#include "held_things.hpp"

#include <algorithm>

#include "wire/wire.hpp"

namespace holdfast {

HeldThings::Entry* HeldThings::add(Kind kind, std::string_view name, Clock::time_point now) {
    if (spare_.empty()) {
        held_.emplace_back();
    } else {
        held_.splice(held_.end(), spare_, spare_.begin());
    }
    Entry& entry = held_.back();
    const std::string_view shown = wire::cut(name, max_name_bytes);
    entry.kind = kind;
    entry.name_bytes = static_cast<std::uint8_t>(shown.size());
    std::ranges::copy(shown, entry.name);
    entry.since = now;
    entry.self = std::prev(held_.end());
    requests_ += kind == Kind::request ? 1 : 0;
    return &entry;
}

void HeldThings::remove(Entry* entry) {
    if (entry->kind == Kind::request) {
        --requests_;
        ++served_;
    }
    spare_.splice(spare_.begin(), held_, entry->self);
}

void HeldThings::describe(Clock::time_point now, std::vector<Waiting>& report) const {
    for (const Entry& entry : held_) {
        if (report.size() == max_waiting_entries) return;
        report.push_back(
            {.kind = entry.kind == Kind::request ? "request" : "session",
             .name = std::string(entry.name, entry.name_bytes),
             .age_usec = std::chrono::duration_cast<std::chrono::microseconds>(now - entry.since).count()});
    }
}

}  // namespace holdfast
