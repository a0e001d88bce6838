#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/time.hpp"

namespace holdfast::core {

using namespace std::chrono_literals;

// A number of workers, or a share of the target: "2", "25%".
struct Share {
    int amount = 0;
    bool percent = false;
    // Rounded up, as for Kubernetes' maxSurge: a share that is not nothing is at least one.
    int of(int target) const { return percent ? (target * amount + 99) / 100 : amount; }
};

// When a worker that was launched counts as ready.
struct ReadyAuto {};    // its own word; time stands in where no worker of the service ever spoke
struct ReadyNotify {};  // its own word alone
struct ReadyAlive {
    Duration lived = 1s;
};  // having lived so long
// An answer to a question of ours at an address that the worker binds itself, or on its private listener.
struct ReadyProbe {
    enum class How { tcp, http };
    enum class Where { address, private_listener };
    How how = How::tcp;
    Where where = Where::address;
    std::string address;     // "127.0.0.1:9000", "unix:/run/x.sock"; empty on a private listener
    std::string path = "/";  // http
};
using ReadyWhen = std::variant<ReadyAuto, ReadyNotify, ReadyAlive, ReadyProbe>;

// What the workers of one launch spec are launched with, and are therefore judged by, whatever a later reload says.
struct HealthSettings {
    ReadyWhen ready_when = ReadyAuto{};
    Duration watchdog{};
};

// Every number that a user can set. Defaults are those of the manual; the reason stands beside each.
struct Policy {
    int workers = 1;  // target at the start
    ReadyWhen ready_when = ReadyAuto{};
    Duration ready_timeout = 60s;     // generous: JVMs and migrations; a hang must still end
    Duration settle = 1s;             // programs say READY=1 and then die of their configuration
    Duration probation = 0s;          // how long the old workers can still be had back after a rollout
    int min_ready = 1;                // fewer ready workers than this: /readyz says so
    Share max_surge{100, true};       // the whole new generation beside the old one: a failure costs nothing
    Share max_unavailable{0, false};  // counts as 1 where no surge is allowed, or nothing could ever move
    Duration lame_duck = 0s;          // load balancers that probe need it; nobody else should wait
    Duration grace_period = 30s;      // what Kubernetes and most balancers use
    Duration cancel_period = 5s;      // to write down what is abandoned
    Duration max_extension = 0s;      // how much EXTEND_TIMEOUT_USEC may add to one deadline in all
    Duration max_pause = 10min;
    Duration backoff_min = 500ms;
    Duration backoff_max = 30s;
    Duration watchdog = 0s;    // the longest silence of a worker that promised to speak; 0: nobody listens
    Duration queue_for = 10s;  // how long clients wait while nobody serves, before they are refused
    int stop_signal = 15;      // SIGTERM: what drain sounds like to a worker without HELLO
    int cancel_signal = 0;     // none by default: a second SIGTERM makes many servers die at once
};

inline HealthSettings health_settings_of(const Policy& policy) { return {policy.ready_when, policy.watchdog}; }

// Constants that no option sets.
inline constexpr Duration auto_ready_after = 1s;      // ready_when auto, where nothing ever spoke
inline constexpr Duration backoff_reset_after = 10s;  // of being ready: the crash before is forgiven
inline constexpr Duration min_stop_interval = 1s;     // between two SIGTERMs: ordinary tools deliver two at once
inline constexpr Duration unkillable_after = 10s;     // after SIGKILL: state D, reported and left behind
inline constexpr int max_workers = 4096;
inline constexpr Duration probe_every = 250ms;  // while a worker starts, and while a rollout watches it
inline constexpr Duration probe_timeout = 1s;   // one that hangs is a failed one
inline constexpr int probes_missed = 3;         // in a row, of a worker that was ready: it is not any more
inline constexpr int crash_loop_after = 3;      // crashes in a row: status and /readyz call it a loop

// The first thing that is wrong with a policy, as a sentence; nothing if it can be run.
std::optional<std::string> find_fault(const Policy& policy);

}  // namespace holdfast::core
