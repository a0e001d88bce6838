#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace holdfast::core {

// The state machine of a worker.
//
//    launched ──► starting ──► ready ◄──► paused        A worker can return to ready from lame_duck and paused, and
//    from
//                    │         │  ▲ ▲        │          draining until it has released something. No other transition
//                    │         ▼  │ │        │          goes back.
//                    │    lame_duck │        │          Only the deadline of cancelling, or an operator who skips it,
//                    │         │    │        │          leads to killed. Every state except ready has a deadline.
//                    └────►────┴─► draining ◄┘
//                                   │ deadline, skipped
//                                   ▼
//                               cancelling ── deadline, skipped ──► killed       exited, from anywhere ──► gone
//
// The transition table. A test compares it with the rules below.
//   .  no transition      -  cannot happen
//
// | trigger            | starting | ready     | paused   | lame_duck | draining   | cancelling | killed | gone |
// | became_ready       | ready    | .         | .        | .         | .          | .          | .      | -    |
// | asked_to_pause     | -        | paused    | -        | -         | -          | -          | -      | -    |
// | asked_to_lame_duck | draining | lame_duck | draining | .         | .          | .          | .      | -    |
// | asked_to_leave     | draining | draining  | draining | draining  | .          | .          | .      | -    |
// | took_back          | -        | -         | ready    | ready     | ready      | -          | -      | -    |
// | said_stopping      | draining | draining  | draining | draining  | .          | .          | .      | -    |
// | main_exited        | draining | draining  | draining | draining  | draining   | cancelling | .      | -    |
// | channel_lost       | .        | .         | .        | .         | .          | .          | .      | -    |
// | deadline_passed    | draining | -         | draining | draining  | cancelling | killed     | gone   | -    |
// | skipped            | -        | -         | -        | draining  | cancelling | killed     | .      | -    |
// | launch_failed      | gone     | -         | -        | -         | gone       | gone       | gone   | -    |
// | exited             | gone     | gone      | gone     | gone      | gone       | gone       | gone   | -    |

enum class WorkerState { starting, ready, paused, lame_duck, draining, cancelling, killed, gone };
inline constexpr std::size_t worker_state_count = 8;

enum class Trigger {
    became_ready,        // READY=1, a successful probe, or enough time since the launch
    asked_to_pause,      // by an operator, or for the probation of a rollout
    asked_to_lame_duck,  // termination without a successor
    asked_to_leave,      // any other termination
    took_back,           // it received the stage run and reports that it accepts again
    said_stopping,       // STOPPING=1: it terminates on its own initiative
    main_exited,         // its main process exited; other members of its group, or descendants, still run
    channel_lost,        // the control pipe hung up: only signals reach it from now on
    deadline_passed,     // the deadline of its current state
    skipped,             // an operator ended the current stage before its deadline
    launch_failed,       // no process was created
    exited,              // all its processes have exited
};
inline constexpr std::size_t trigger_count = 12;

std::string_view to_string(WorkerState state);
std::string_view to_string(Trigger trigger);

// Returns the state that `trigger` leads to from `state`, which may be `state` itself; nullopt if there is no rule.
constexpr std::optional<WorkerState> next_state(WorkerState state, Trigger trigger);

// How often each trigger occurred in each state.
using TransitionCounts = std::array<std::array<std::uint64_t, trigger_count>, worker_state_count>;

struct Rule {
    WorkerState from;
    Trigger trigger;
    WorkerState to;
};

inline constexpr auto rules = std::to_array<Rule>({
    {WorkerState::starting, Trigger::became_ready, WorkerState::ready},
    {WorkerState::starting, Trigger::asked_to_lame_duck, WorkerState::draining},  // it does not serve yet
    {WorkerState::starting, Trigger::asked_to_leave, WorkerState::draining},
    {WorkerState::starting, Trigger::said_stopping, WorkerState::draining},
    {WorkerState::starting, Trigger::main_exited, WorkerState::draining},
    {WorkerState::starting, Trigger::deadline_passed, WorkerState::draining},
    {WorkerState::starting, Trigger::launch_failed, WorkerState::gone},
    {WorkerState::starting, Trigger::exited, WorkerState::gone},

    {WorkerState::ready, Trigger::asked_to_pause, WorkerState::paused},
    {WorkerState::ready, Trigger::asked_to_lame_duck, WorkerState::lame_duck},
    {WorkerState::ready, Trigger::asked_to_leave, WorkerState::draining},
    {WorkerState::ready, Trigger::said_stopping, WorkerState::draining},
    {WorkerState::ready, Trigger::main_exited, WorkerState::draining},
    {WorkerState::ready, Trigger::exited, WorkerState::gone},

    {WorkerState::paused, Trigger::asked_to_lame_duck, WorkerState::draining},  // it accepts nothing anyway
    {WorkerState::paused, Trigger::asked_to_leave, WorkerState::draining},
    {WorkerState::paused, Trigger::took_back, WorkerState::ready},
    {WorkerState::paused, Trigger::said_stopping, WorkerState::draining},
    {WorkerState::paused, Trigger::main_exited, WorkerState::draining},
    {WorkerState::paused, Trigger::deadline_passed, WorkerState::draining},
    {WorkerState::paused, Trigger::exited, WorkerState::gone},

    {WorkerState::lame_duck, Trigger::asked_to_leave, WorkerState::draining},
    {WorkerState::lame_duck, Trigger::took_back, WorkerState::ready},
    {WorkerState::lame_duck, Trigger::said_stopping, WorkerState::draining},
    {WorkerState::lame_duck, Trigger::main_exited, WorkerState::draining},
    {WorkerState::lame_duck, Trigger::deadline_passed, WorkerState::draining},
    {WorkerState::lame_duck, Trigger::skipped, WorkerState::draining},
    {WorkerState::lame_duck, Trigger::exited, WorkerState::gone},

    {WorkerState::draining, Trigger::took_back, WorkerState::ready},
    {WorkerState::draining, Trigger::main_exited, WorkerState::draining},  // the group gets the signal of the stage
    {WorkerState::draining, Trigger::deadline_passed, WorkerState::cancelling},
    {WorkerState::draining, Trigger::skipped, WorkerState::cancelling},
    {WorkerState::draining, Trigger::launch_failed, WorkerState::gone},
    {WorkerState::draining, Trigger::exited, WorkerState::gone},

    {WorkerState::cancelling, Trigger::main_exited, WorkerState::cancelling},
    {WorkerState::cancelling, Trigger::deadline_passed, WorkerState::killed},
    {WorkerState::cancelling, Trigger::skipped, WorkerState::killed},
    {WorkerState::cancelling, Trigger::launch_failed, WorkerState::gone},
    {WorkerState::cancelling, Trigger::exited, WorkerState::gone},

    {WorkerState::killed, Trigger::deadline_passed,
     WorkerState::gone},  // SIGKILL had no effect: reported and abandoned
    {WorkerState::killed, Trigger::launch_failed, WorkerState::gone},
    {WorkerState::killed, Trigger::exited, WorkerState::gone},
});

class TriggerSet {
  public:
    constexpr TriggerSet(std::initializer_list<Trigger> triggers) {
        for (const Trigger trigger : triggers) bits_ |= bit(trigger);
    }
    constexpr bool has(Trigger trigger) const { return (bits_ & bit(trigger)) != 0; }

  private:
    static constexpr std::uint32_t bit(Trigger trigger) { return 1U << static_cast<unsigned>(trigger); }
    std::uint32_t bits_ = 0;
};

// The triggers without a rule, one row per state, in the order of the states. `ignored` triggers occur and change
// nothing; `impossible` triggers never occur, and would change nothing either.
struct NoRule {
    WorkerState state;
    TriggerSet ignored;
    TriggerSet impossible;
};

inline constexpr auto no_rules = std::to_array<NoRule>({
    {WorkerState::starting, {Trigger::channel_lost}, {Trigger::asked_to_pause, Trigger::took_back, Trigger::skipped}},
    {WorkerState::ready,
     {Trigger::became_ready, Trigger::channel_lost},
     {Trigger::took_back, Trigger::deadline_passed, Trigger::skipped, Trigger::launch_failed}},
    {WorkerState::paused,
     {Trigger::became_ready, Trigger::channel_lost},
     {Trigger::asked_to_pause, Trigger::skipped, Trigger::launch_failed}},
    {WorkerState::lame_duck,
     {Trigger::became_ready, Trigger::asked_to_lame_duck, Trigger::channel_lost},
     {Trigger::asked_to_pause, Trigger::launch_failed}},
    {WorkerState::draining,
     {Trigger::became_ready, Trigger::asked_to_lame_duck, Trigger::asked_to_leave, Trigger::said_stopping,
      Trigger::channel_lost},
     {Trigger::asked_to_pause}},
    {WorkerState::cancelling,
     {Trigger::became_ready, Trigger::asked_to_lame_duck, Trigger::asked_to_leave, Trigger::said_stopping,
      Trigger::channel_lost},
     {Trigger::asked_to_pause, Trigger::took_back}},
    {WorkerState::killed,
     {Trigger::became_ready, Trigger::asked_to_lame_duck, Trigger::asked_to_leave, Trigger::said_stopping,
      Trigger::main_exited, Trigger::channel_lost, Trigger::skipped},
     {Trigger::asked_to_pause, Trigger::took_back}},
    {WorkerState::gone,  // the worker is already erased
     {},
     {Trigger::became_ready, Trigger::asked_to_pause, Trigger::asked_to_lame_duck, Trigger::asked_to_leave,
      Trigger::took_back, Trigger::said_stopping, Trigger::main_exited, Trigger::channel_lost, Trigger::deadline_passed,
      Trigger::skipped, Trigger::launch_failed, Trigger::exited}},
});

constexpr std::optional<WorkerState> next_state(WorkerState state, Trigger trigger) {
    for (const Rule& rule : rules) {
        if (rule.from == state && rule.trigger == trigger) return rule.to;
    }
    return std::nullopt;
}

// Every (state, trigger) is listed exactly once, and no_rules is in the order of the states.
constexpr bool rules_are_complete() {
    for (std::size_t s = 0; s < worker_state_count; ++s) {
        const auto state = static_cast<WorkerState>(s);
        if (no_rules[s].state != state) return false;
        for (std::size_t t = 0; t < trigger_count; ++t) {
            const auto trigger = static_cast<Trigger>(t);
            int places = (no_rules[s].ignored.has(trigger) ? 1 : 0) + (no_rules[s].impossible.has(trigger) ? 1 : 0);
            for (const Rule& rule : rules) places += rule.from == state && rule.trigger == trigger ? 1 : 0;
            if (places != 1) return false;
        }
    }
    return true;
}
static_assert(no_rules.size() == worker_state_count && rules_are_complete());

}  // namespace holdfast::core
