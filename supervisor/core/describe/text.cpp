#include "core/describe/text.hpp"

#include <algorithm>

#include "base/held_work.hpp"

namespace holdfast::core {
namespace {

constexpr Duration stale_after = std::chrono::seconds{2};

std::string ago(Duration age) { return seconds(age) + " before"; }

// After X_HOLDFAST_DRAINED=1 no code of the SDK runs any more: only the rest of the program can block the exit.
std::string held_after_drained(const Worker& worker, Instant now) {
    std::string text = "it said " + ago(now - *worker.drained_at) + " that it had released everything";
    if (const std::string left = held_work_of(worker); !left.empty()) text += " but " + left;
    return text +
           ", and did not exit: look for static destructors or atexit handlers that block, and for threads that "
           "are not joined";
}

}  // namespace

std::string seconds(Duration duration) {
    // Tenths are enough for people; the timestamps of the log are finer. The limit is for ages reported by workers,
    // which can be arbitrary.
    constexpr Duration longest = std::chrono::hours{24 * 36'500};
    const auto tenths = (std::clamp(duration, Duration::zero(), longest) + Duration{50'000}) / Duration{100'000};
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string workers(int count) { return std::to_string(count) + (count == 1 ? " worker" : " workers"); }

std::string name_of(const Worker& worker) {
    return std::to_string(worker.generation.value) + "." + std::to_string(worker.slot.value);
}

std::string name_of(Generation generation) { return "generation " + std::to_string(generation.value); }

std::string_view noun_of(Rollout::Kind kind) {
    switch (kind) {
        case Rollout::Kind::restart:
            return "restart";
        case Rollout::Kind::rollback:
            return "rollback";
        case Rollout::Kind::reload:
            return "reload";
    }
    return "?";
}

std::string describe_exit(const ExitStatus& status, KilledBy killed_by) {
    constexpr int sigkill = 9;
    if (killed_by == KilledBy::not_known) return describe(status);
    const auto* killed = std::get_if<holdfast::KilledBy>(&status);
    const bool itself = killed != nullptr && killed->signal == sigkill;
    if (itself) return "was killed by the kernel: out of memory (" + signal_name(sigkill) + ")";
    return describe(status) + " after the kernel had killed one of its processes: out of memory";
}

std::string list_of(const std::vector<std::string>& items) {
    std::string text;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) text += i + 1 == items.size() ? " and " : ", ";
        text += items[i];
    }
    return text;
}

std::string held_work_of(const std::vector<Waiting>& waiting, const std::vector<HeldCount>& held) {
    std::vector<HeldItem> things;
    for (const Waiting& item : waiting) {
        things.push_back({item.kind, item.name + " for " + seconds(Duration{item.age_usec})});
    }
    std::vector<HeldItemCount> numbers;
    for (const HeldCount& count : held) numbers.push_back({count.kind, count.count});
    return describe_held(things, numbers);
}

std::string held_work_of(const Worker& worker) {
    return held_work_of(worker.waiting.value_or(std::vector<Waiting>{}), worker.held);
}

std::string explain_held_work(const Worker& worker, Instant now) {
    if (worker.drained_at) return held_after_drained(worker, now);
    if (!worker.waiting) return "it sent no drain report";
    std::string text = held_work_of(worker);
    if (!text.empty()) {
        text = "it still held " + text;
    } else if (worker.in_flight.value_or(0) > 0) {
        text = "it had " + std::to_string(*worker.in_flight) + " in flight and named nothing it held";
    } else {
        text = "it held nothing that it named, and had not released everything";
    }
    // A draining worker reports once a second. The contents of an older report may be outdated.
    if (const Duration age = now - *worker.reported_at; age > stale_after) text += ", as it said " + ago(age);
    return text;
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
