#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "core/action.hpp"
#include "core/event.hpp"
#include "core/policy.hpp"
#include "core/status.hpp"

namespace holdfast::core {

struct State;

// The state machine of the whole service. It makes every decision and performs no I/O: it has no clock, and its only
// randomness is its own seeded generator. Not thread-safe. The same policy, seed and events give the same actions.
class Supervisor {
  public:
    // `seed` is the seed for the backoff jitter. `last` is the last generation of the previous supervisor, 0 for none.
    Supervisor(const Policy& policy, std::uint64_t seed, Generation last = {});
    ~Supervisor();
    Supervisor(Supervisor&&) noexcept;
    Supervisor& operator=(Supervisor&&) noexcept;

    // Launches the first generation. Call it once, before the first step().
    [[nodiscard]] std::vector<Action> start(Instant now);

    // Handles an event and returns the actions to execute. `now` must not decrease. Events for a worker that is gone
    // are ignored.
    [[nodiscard]] std::vector<Action> step(const Event& event, Instant now);

    // The time at which the next Elapsed is due; nullopt if no deadline is set.
    [[nodiscard]] std::optional<Instant> next_deadline() const;

    [[nodiscard]] Status snapshot(Instant now) const;
    // The field of the same name in snapshot(), without building the whole snapshot: health probes read it often.
    [[nodiscard]] std::string unready_because(Instant now) const;
    // Names the slots in a crash loop; empty if there is none. The service can be ready nevertheless.
    [[nodiscard]] std::string crash_loops() const;

    // Counts per state and trigger. The simulator uses them to measure its coverage.
    [[nodiscard]] const TransitionCounts& transition_counts() const;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace holdfast::core
