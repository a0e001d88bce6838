#include "core/words.hpp"

#include <algorithm>

namespace holdfast::core {

std::string seconds(Duration duration) {
    // Tenths are what a person can use; anything finer is in the log's own stamps.
    // A worker may claim any age.
    constexpr Duration longest = std::chrono::hours{24 * 36'500};
    const auto tenths = (std::clamp(duration, Duration::zero(), longest) + Duration{50'000}) / Duration{100'000};
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string workers(int count) { return std::to_string(count) + (count == 1 ? " worker" : " workers"); }

std::string name_of(const Worker& worker) {
    return std::to_string(worker.generation.value) + "." + std::to_string(worker.slot.value);
}

std::string list_of(const std::vector<std::string>& items) {
    std::string text;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) text += i + 1 == items.size() ? " and " : ", ";
        text += items[i];
    }
    return text;
}

std::string held_by(const Worker& worker) {
    if (worker.drained) return "it had released everything but did not exit";
    if (worker.waiting && !worker.waiting->empty()) {
        std::vector<std::string> items;
        for (const Waiting& item : *worker.waiting) {
            items.push_back(item.kind + " " + item.name + " for " + seconds(Duration{item.age_usec}));
        }
        return "it still held " + list_of(items);
    }
    if (worker.in_flight) return "it had " + std::to_string(*worker.in_flight) + " in flight and named nothing it held";
    return "it gave no drain report";
}

std::string quote_last(const std::vector<std::string>& last_words) {
    return last_words.empty() ? std::string{} : "; its last words: " + last_words.back();
}

std::string_view to_string(Reason reason) {
    switch (reason) {
        case Reason::restart:
            return "restart";
        case Reason::stop:
            return "stop";
        case Reason::scale:
            return "scale";
        case Reason::recycle:
            return "recycle";
        case Reason::unhealthy:
            return "unhealthy";
        case Reason::rollback:
            return "rollback";
    }
    return "?";
}

}  // namespace holdfast::core
