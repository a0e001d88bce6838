#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace holdfast::core {

// A worker's life on one page.
//
//    launched ──► starting ──► ready ◄──► paused        lame_duck and paused can be taken back, and so can draining
//                    │         │  ▲ ▲        │          until something was released. Nothing else goes backwards.
//                    │         ▼  │ │        │
//                    │    lame_duck │        │          Nothing but cancelling's deadline, or an operator who skips
//                    │         │    │        │          it, leads to killed. Every state but ready has a deadline.
//                    └────►────┴─► draining ◄┘
//                                   │ deadline, skipped
//                                   ▼
//                               cancelling ── deadline, skipped ──► killed       exited, from anywhere ──► gone
//
// What each trigger leads to. A test compares this table with the rules below it.
//   .  changes nothing      -  cannot happen
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
    became_ready,        // by its word, or by having lived long enough
    asked_to_pause,      // by an operator
    asked_to_lame_duck,  // an ending without a successor
    asked_to_leave,      // any other ending
    took_back,           // it was told to run, and says that it accepts again
    said_stopping,       // it leaves on its own account
    main_exited,         // its main process ended, others of its group or its descendants live on
    channel_lost,        // from now on it hears signals alone
    deadline_passed,     // of its present state
    skipped,             // an operator's explicit word: one stage on, now
    launch_failed,       // it never lived
    exited,              // all of it
};
inline constexpr std::size_t trigger_count = 12;

std::string_view to_string(WorkerState state);
std::string_view to_string(Trigger trigger);

// The state that `trigger` leads to from `state`; it may be the same one. Nothing if it changes nothing.
constexpr std::optional<WorkerState> next_state(WorkerState state, Trigger trigger);

// How often each trigger was met in each state.
using TransitionCounts = std::array<std::array<std::uint64_t, trigger_count>, worker_state_count>;

struct Rule {
    WorkerState from;
    Trigger trigger;
    WorkerState to;
};

inline constexpr auto rules = std::to_array<Rule>({
    {WorkerState::starting, Trigger::became_ready, WorkerState::ready},
    {WorkerState::starting, Trigger::asked_to_lame_duck, WorkerState::draining},  // it serves nobody yet
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

    {WorkerState::paused, Trigger::asked_to_lame_duck, WorkerState::draining},  // it accepts nothing already
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
    {WorkerState::draining, Trigger::main_exited, WorkerState::draining},  // the group hears the stage's signal
    {WorkerState::draining, Trigger::deadline_passed, WorkerState::cancelling},
    {WorkerState::draining, Trigger::skipped, WorkerState::cancelling},
    {WorkerState::draining, Trigger::launch_failed, WorkerState::gone},
    {WorkerState::draining, Trigger::exited, WorkerState::gone},

    {WorkerState::cancelling, Trigger::main_exited, WorkerState::cancelling},
    {WorkerState::cancelling, Trigger::deadline_passed, WorkerState::killed},
    {WorkerState::cancelling, Trigger::skipped, WorkerState::killed},
    {WorkerState::cancelling, Trigger::launch_failed, WorkerState::gone},
    {WorkerState::cancelling, Trigger::exited, WorkerState::gone},

    {WorkerState::killed, Trigger::deadline_passed, WorkerState::gone},  // it will not die: reported, left behind
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

// What is no rule, one row for each state in order. `ignored` happens and changes nothing; `impossible` is never met,
// and changes nothing either.
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
    {WorkerState::gone,  // it is forgotten: nothing reaches it
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

// Every (state, trigger) stands in exactly one place, and no_rules is in the order of the states.
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
