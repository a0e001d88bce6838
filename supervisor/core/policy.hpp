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
using ReadyWhen = std::variant<ReadyAuto, ReadyNotify, ReadyAlive>;

// Every number that a user can set. Defaults are those of the manual; the reason stands beside each.
struct Policy {
    int workers = 1;  // target at the start
    ReadyWhen ready_when = ReadyAuto{};
    Duration ready_timeout = 60s;     // generous: JVMs and migrations; a hang must still end
    Duration settle = 1s;             // programs say READY=1 and then die of their configuration
    Share max_surge{100, true};       // the whole new generation beside the old one: a failure costs nothing
    Share max_unavailable{0, false};  // counts as 1 where no surge is allowed, or nothing could ever move
    Duration lame_duck = 0s;          // load balancers that probe need it; nobody else should wait
    Duration grace_period = 30s;      // what Kubernetes and most balancers use
    Duration cancel_period = 5s;      // to write down what is abandoned
    Duration max_extension = 0s;      // how much EXTEND_TIMEOUT_USEC may add to one deadline in all
    Duration max_pause = 10min;
    Duration backoff_min = 500ms;
    Duration backoff_max = 30s;
    int stop_signal = 15;   // SIGTERM: what drain sounds like to a worker without HELLO
    int cancel_signal = 0;  // none by default: a second SIGTERM makes many servers die at once
};

// Constants that no option sets.
inline constexpr Duration auto_ready_after = 1s;      // ready_when auto, where nothing ever spoke
inline constexpr Duration backoff_reset_after = 10s;  // of being ready: the crash before is forgiven
inline constexpr Duration skip_not_before = 1s;       // between two SIGTERMs: ordinary tools deliver two at once
inline constexpr Duration unkillable_after = 10s;     // after SIGKILL: state D, reported and left behind
inline constexpr int max_workers = 4096;

// The first thing that is wrong with a policy, as a sentence; nothing if it can be run.
std::optional<std::string> find_fault(const Policy& policy);

}  // namespace holdfast::core
