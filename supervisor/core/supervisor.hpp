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

// The whole of holdfast's judgement, without hands: no I/O, no clock, no randomness but its own seeded generator.
// One thread. The same policy, seed and events give the same actions.
class Supervisor {
  public:
    // `seed` feeds the jitter of the backoff; `last` is the last generation of the supervisor before, 0 for none.
    Supervisor(const Policy& policy, std::uint64_t seed, Generation last = {});
    ~Supervisor();
    Supervisor(Supervisor&&) noexcept;
    Supervisor& operator=(Supervisor&&) noexcept;

    // Launches the first generation. Called once, before any step.
    [[nodiscard]] std::vector<Action> start(Instant now);

    // `now` never goes back. An event about a worker that is gone is ignored.
    [[nodiscard]] std::vector<Action> step(const Event& event, Instant now);

    // When Elapsed is due at the latest; nothing if no state has a deadline.
    [[nodiscard]] std::optional<Instant> next_deadline() const;

    [[nodiscard]] Status snapshot(Instant now) const;
    // What the snapshot says under this name, without the rest of it: health probes ask often.
    [[nodiscard]] std::string unready_because(Instant now) const;
    // Which slots crash over and over, though enough others may serve; empty: none.
    [[nodiscard]] std::string crash_loops() const;

    // How often each trigger was met in each state, for tests that must know what they have seen.
    [[nodiscard]] const TransitionCounts& transition_counts() const;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace holdfast::core
