#include "core/policy.hpp"

namespace holdfast::core {
namespace {

// Longer than any realistic setting, and short enough that no sum of instants overflows.
constexpr Duration longest = std::chrono::hours{24 * 365};
constexpr Duration shortest_watchdog = 100ms;  // the supervisor wakes up every quarter of the watchdog interval
constexpr int sigkill = 9;
constexpr int sigstop = 19;
constexpr int highest_signal = 64;
constexpr int largest_percentage = 100;

struct NamedDuration {
    const char* name;
    Duration value;
    Duration least;
};

std::optional<std::string> find_bad_duration(const Policy& policy) {
    constexpr Duration nothing = Duration::zero();
    const NamedDuration durations[] = {
        {"ready-timeout", policy.ready_timeout, 1ms},
        {"settle", policy.settle, nothing},
        {"probation", policy.probation, nothing},
        {"lame-duck", policy.lame_duck, nothing},
        {"grace-period", policy.grace_period, nothing},
        {"cancel-period", policy.cancel_period, nothing},
        {"max-extension", policy.max_extension, nothing},
        {"max-pause", policy.max_pause, 1ms},
        {"watchdog", policy.watchdog, nothing},
        {"queue-for", policy.queue_for, nothing},
        {"the lower end of backoff", policy.backoff_min, 1ms},
        {"the upper end of backoff", policy.backoff_max, 1ms},
    };
    for (const NamedDuration& duration : durations) {
        if (duration.value < duration.least) {
            return std::string(duration.name) +
                   (duration.least == nothing ? " must not be negative" : " must be 1ms or more");
        }
        if (duration.value > longest) return std::string(duration.name) + " must not be longer than a year";
    }
    if (policy.backoff_min > policy.backoff_max) return "backoff must be MIN..MAX with MIN no longer than MAX";
    return std::nullopt;
}

std::optional<std::string> find_bad_share(const char* name, Share share) {
    if (share.amount < 0) return std::string(name) + " must not be negative";
    if (!share.percent && share.amount > max_workers) {
        return std::string(name) + " must not be more than " + std::to_string(max_workers);
    }
    if (share.percent && share.amount > largest_percentage) return std::string(name) + " must not be more than 100%";
    return std::nullopt;
}

bool can_be_sent(int signal) {
    return signal >= 1 && signal <= highest_signal && signal != sigkill && signal != sigstop;
}

std::optional<std::string> find_bad_signal(const Policy& policy) {
    if (!can_be_sent(policy.stop_signal)) return "stop-signal must be a signal that a worker can handle, such as TERM";
    if (policy.cancel_signal != 0 && !can_be_sent(policy.cancel_signal)) {
        return "cancel-signal must be a signal that a worker can handle, such as QUIT, or none";
    }
    return std::nullopt;
}

std::optional<std::string> find_bad_ready_alive(const ReadyAlive& alive, const Policy& policy) {
    if (alive.lived < Duration::zero()) return "ready-when alive:DURATION must not be negative";
    if (alive.lived >= policy.ready_timeout) {
        return "ready-when alive:DURATION must be shorter than ready-timeout; otherwise no worker could become ready";
    }
    return std::nullopt;
}

std::optional<std::string> find_bad_probe(const ReadyProbe& probe) {
    const bool http = probe.how == ReadyProbe::How::http;
    if (http && !probe.path.starts_with('/')) return "ready-when http: needs a path that starts with /";
    if (probe.where == ReadyProbe::Where::private_listener) {
        if (!http) return "ready-when tcp: needs an address; to probe the private listener, use http:/PATH";
    } else if (probe.address.empty()) {
        return std::string("ready-when ") + (http ? "http:" : "tcp:") +
               " needs an address that the worker binds itself";
    }
    return std::nullopt;
}

std::optional<std::string> find_bad_readiness(const Policy& policy) {
    if (const auto* alive = std::get_if<ReadyAlive>(&policy.ready_when)) return find_bad_ready_alive(*alive, policy);
    if (const auto* probe = std::get_if<ReadyProbe>(&policy.ready_when)) return find_bad_probe(*probe);
    return std::nullopt;
}

std::optional<std::string> find_bad_health(const Policy& policy) {
    if (policy.min_ready < 0 || policy.min_ready > max_workers) {
        return "min-ready must be 0 to " + std::to_string(max_workers);
    }
    if (policy.watchdog > Duration::zero() && policy.watchdog < shortest_watchdog) {
        return "watchdog must be 100ms or more, or 0s for none";
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> find_fault(const Policy& policy) {
    if (policy.workers < 1 || policy.workers > max_workers) {
        return "workers must be 1 to " + std::to_string(max_workers);
    }
    if (auto fault = find_bad_duration(policy)) return fault;
    if (auto fault = find_bad_readiness(policy)) return fault;
    if (auto fault = find_bad_health(policy)) return fault;
    if (auto fault = find_bad_share("max-surge", policy.max_surge)) return fault;
    if (auto fault = find_bad_share("max-unavailable", policy.max_unavailable)) return fault;
    return find_bad_signal(policy);
}

}  // namespace holdfast::core
