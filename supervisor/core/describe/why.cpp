#include "core/describe/why.hpp"

#include <algorithm>

#include "base/held_work.hpp"
#include "core/describe/text.hpp"

namespace holdfast::core {
namespace {

std::string worker_name(const WorkerStatus& worker) {
    return std::to_string(worker.generation.value) + "." + std::to_string(worker.slot.value);
}

std::string since(const Status& status, Instant then) { return seconds(status.now - then); }

// "in 12.0 s at the latest", or a text for a worker without deadline.
std::string at_the_latest(const Status& status, const WorkerStatus& worker) {
    if (!worker.deadline) return "at an unknown time";
    return "in " + seconds(*worker.deadline - status.now) + " at the latest";
}

std::string because(const WorkerStatus& worker) {
    return worker.why_leaving.empty() ? std::string{} : " (" + worker.why_leaving + ")";
}

std::string reported_status(const WorkerStatus& worker) {
    return worker.text.empty() ? std::string{} : "; its status: " + worker.text;
}

// The work that it waits for, the oldest first.
std::string describe_work(const Status& status, const WorkerStatus& worker) {
    if (worker.drained_at) {
        return "it said " + since(status, *worker.drained_at) +
               " ago that it has released everything, and did not exit";
    }
    if (const std::string held = held_work_of(worker.waiting, worker.held); !held.empty()) {
        return "it waits for " + held;
    }
    if (worker.in_flight.value_or(0) > 0) {
        return "it has " + count_of("request", *worker.in_flight) + " in flight and names none";
    }
    if (worker.speaks != Speaks::protocol) return "what it waits for is not known: it does not speak the protocol";
    return "it does not report what it waits for";
}

std::string describe_starting(const Status& status, const WorkerStatus& worker) {
    if (worker.pid == 0) {
        return "has been launching for " + since(status, worker.since) + "; the launch is abandoned " +
               at_the_latest(status, worker);
    }
    std::string text = "was launched " + since(status, worker.since) + " ago and is not ready yet: ";
    if (!worker.probe.empty()) {
        text += "the last probe said " + worker.probe;
    } else {
        text += worker.speaks == Speaks::nothing ? "it has sent no message so far" : "it has not sent READY=1";
    }
    return text + reported_status(worker) + "; if it does not get ready it is told to leave " +
           at_the_latest(status, worker) + ", and counts as crashed";
}

std::string describe_ready(const Status& status, const WorkerStatus& worker) {
    std::string text = "serves, ready for " + since(status, worker.since) + ", and nobody has asked it to leave";
    if (worker.in_flight.value_or(0) > 0) text += "; it has " + count_of("request", *worker.in_flight) + " in flight";
    if (!worker.probe.empty()) text += "; the last probe said " + worker.probe;
    if (worker.silent_until) {
        text += "; its watchdog expires in " + seconds(*worker.silent_until - status.now) + " if it sends nothing";
    }
    if (status.change && worker.generation != status.generation) {
        text += "; the " + status.change->what + ", asked for by " + status.change->asked_by +
                ", will ask it to leave when enough other workers serve";
    }
    return text + reported_status(worker);
}

std::string describe_paused(const Status& status, const WorkerStatus& worker) {
    const std::string text = "is paused for " + since(status, worker.since) + because(worker) +
                             ": it serves what is open and accepts nothing new";
    if (status.paused_until) {
        return text + "; the service resumes automatically in " + seconds(*status.paused_until - status.now);
    }
    return text + "; it can be recalled until it is told to drain, " + at_the_latest(status, worker);
}

std::string describe_leaving(const Status& status, const WorkerStatus& worker) {
    const std::string age = since(status, worker.since) + " ago" + because(worker);
    switch (worker.state) {
        case WorkerState::lame_duck:
            return "became a lame duck " + age + ": it still serves and is reported unready; it is told to drain " +
                   at_the_latest(status, worker);
        case WorkerState::draining:
            return "was told to leave " + age + ": " + describe_work(status, worker) + "; what is left is cancelled " +
                   at_the_latest(status, worker);
        case WorkerState::cancelling:
            return "was told to abandon what is left " + age + ": " + describe_work(status, worker) +
                   "; it is killed " + at_the_latest(status, worker);
        case WorkerState::killed:
            return "was killed " + age +
                   " and still exists: SIGKILL has no effect in state D (uninterruptible sleep); it is abandoned " +
                   at_the_latest(status, worker);
        default:
            return "is gone";
    }
}

std::string describe_one(const Status& status, const WorkerStatus& worker) {
    if (worker.recall == WorkerStatus::Recall::awaited) {
        return "was told to accept again and has not confirmed yet; if it does not, it continues to leave " +
               at_the_latest(status, worker);
    }
    if (worker.state == WorkerState::starting) return describe_starting(status, worker);
    if (worker.state == WorkerState::ready) return describe_ready(status, worker);
    if (worker.state == WorkerState::paused) return describe_paused(status, worker);
    return describe_leaving(status, worker);
}

bool is_occupied(const Status& status, SlotId slot) {
    return std::ranges::any_of(status.workers, [&](const WorkerStatus& worker) { return worker.slot == slot; });
}

std::string describe_attempt(const Status& status, const SlotStatus& slot) {
    std::string text = "slot " + std::to_string(slot.slot.value);
    if (slot.next_attempt) {
        return text + " has crashed " + std::to_string(slot.crashes_in_a_row) +
               " times in a row, its next launch is in " + seconds(*slot.next_attempt - status.now);
    }
    return text + (is_occupied(status, slot.slot) ? " has another worker now" : " has no worker yet");
}

// Describes the last failure in the slot.
std::string describe_failed(const Status& status, const SlotStatus& slot) {
    return slot.last_failure + quote_last(slot.last_words) + "; " + describe_attempt(status, slot);
}

std::string names_of(const Status& status) {
    constexpr std::size_t most_named = 8;
    std::vector<std::string> names;
    for (const WorkerStatus& worker : status.workers) {
        if (names.size() < most_named) names.push_back(worker_name(worker));
    }
    const std::size_t others = status.workers.size() - names.size();
    if (others > 0) names.push_back(std::to_string(others) + " others");
    return list_of(names);
}

std::string describe_unknown(const Status& status, std::string_view name) {
    const std::string known = names_of(status);
    std::string text = "there is no worker " + std::string(name) + ": ";
    text += known.empty() ? "no worker exists" : known + (status.workers.size() == 1 ? " exists" : " exist");
    for (const SlotStatus& slot : status.slots) {
        if (slot.next_attempt && !is_occupied(status, slot.slot)) text += "; " + describe_failed(status, slot);
    }
    return text;
}

}  // namespace

std::string explain(const Status& status, std::string_view name) {
    std::string text;
    for (const WorkerStatus& worker : status.workers) {
        if (worker_name(worker) != name) continue;
        if (!text.empty()) text += ". Another ";
        text += "worker " + worker_name(worker);
        if (worker.pid != 0) text += " (pid " + std::to_string(worker.pid) + ")";
        text += " " + describe_one(status, worker);
    }
    if (!text.empty()) return text;
    for (const SlotStatus& slot : status.slots) {
        if (slot.last_failure.starts_with("worker " + std::string(name) + " ")) return describe_failed(status, slot);
    }
    return describe_unknown(status, name);
}

}  // namespace holdfast::core
