#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/time.hpp"

namespace holdfast::core {

using namespace std::chrono_literals;

// A number of workers, or a percentage of the target: "2", "25%".
struct Share {
    int amount = 0;
    bool percent = false;
    // Rounds up, like maxSurge in Kubernetes: a share above zero is at least one worker.
    int of(int target) const { return percent ? (target * amount + 99) / 100 : amount; }
};

// --ready-when: when a launched worker counts as ready.
struct ReadyAuto {};    // READY=1, or `auto_ready_after` if no worker of the service ever sent HELLO=1 or READY=1
struct ReadyNotify {};  // only READY=1
struct ReadyAlive {
    Duration lived = 1s;  // time since the launch
};
// A successful probe, at an address that the worker binds itself or on its private listener.
struct ReadyProbe {
    enum class How { tcp, http };
    enum class Where { address, private_listener };
    How how = How::tcp;
    Where where = Where::address;
    std::string address;     // "127.0.0.1:9000", "unix:/run/x.sock"; empty on a private listener
    std::string path = "/";  // http
};
using ReadyWhen = std::variant<ReadyAuto, ReadyNotify, ReadyAlive, ReadyProbe>;

// The health settings that workers of one launch spec are launched with. They stay valid for these workers: a later
// reload does not change them.
struct HealthSettings {
    ReadyWhen ready_when = ReadyAuto{};
    Duration watchdog{};
};

// All settings that a user can change. The defaults are those of the manual; the comments give the reasons.
struct Policy {
    int workers = 1;  // initial target
    ReadyWhen ready_when = ReadyAuto{};
    Duration ready_timeout = 60s;     // long enough for a JVM or a migration; a worker that hangs must still time out
    Duration settle = 1s;             // some programs send READY=1 and then fail on their configuration
    Duration probation = 0s;          // how long a rollback to the old workers stays possible after a rollout
    int min_ready = 1;                // with fewer ready workers /readyz reports 503
    Share max_surge{100, true};       // a whole new generation beside the old one: a failure then has no cost
    Share max_unavailable{0, false};  // counts as 1 if max_surge is 0; otherwise a rollout could not progress
    Duration lame_duck = 0s;          // only useful behind load balancers that probe
    Duration grace_period = 30s;      // the default of Kubernetes and most load balancers
    Duration cancel_period = 5s;      // time to record the abandoned work
    Duration max_extension = 0s;      // limit on the sum of all EXTEND_TIMEOUT_USEC extensions of one worker
    Duration max_pause = 10min;
    Duration backoff_min = 500ms;
    Duration backoff_max = 30s;
    Duration watchdog = 0s;    // longest interval without a sign of life from a worker that sends them; 0: disabled
    Duration queue_for = 10s;  // how long connections are queued while no worker serves, before they are refused
    int stop_signal = 15;      // SIGTERM: the drain signal for a worker without HELLO=1
    int cancel_signal = 0;     // default none: on a second SIGTERM many servers exit at once
};

inline HealthSettings health_settings_of(const Policy& policy) { return {policy.ready_when, policy.watchdog}; }

// Constants that no option sets.
inline constexpr Duration auto_ready_after = 1s;      // ready_when auto, if no worker ever sent HELLO=1 or READY=1
inline constexpr Duration backoff_reset_after = 10s;  // a worker that is ready this long resets the backoff
inline constexpr Duration min_stop_interval = 1s;     // between two SIGTERMs: common tools deliver two at once
inline constexpr Duration unkillable_after = 10s;     // after SIGKILL: process in state D, reported and abandoned
inline constexpr int max_workers = 4096;
inline constexpr Duration probe_every = 250ms;  // while a worker starts, and while a rollout monitors it
inline constexpr Duration probe_timeout = 1s;   // a probe without an answer by then has failed
inline constexpr int probes_missed = 3;         // failed probes in a row after which a ready worker is unhealthy
inline constexpr int crash_loop_after = 3;      // crashes in a row that status and /readyz report as a crash loop

// Returns the first error in the policy, as a sentence; nullopt if the policy is valid.
std::optional<std::string> find_fault(const Policy& policy);

}  // namespace holdfast::core
