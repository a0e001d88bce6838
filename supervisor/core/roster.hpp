#pragma once

#include <vector>

#include "core/step_context.hpp"

namespace holdfast::core {

// The assignment of the staying workers to slots, as seen from one generation. Rebuilt by each reconciliation. The
// pointers are valid until a worker is erased.
struct Roster {
    struct RosterSlot {
        Worker* wanted = nullptr;      // worker of the wanted generation
        Worker* other = nullptr;       // worker of another generation
        Worker* recallable = nullptr;  // worker of the wanted generation that is leaving and can be recalled
    };
    std::vector<RosterSlot> slots;  // indexed by slot, one for each below the target
    std::vector<Worker*> surplus;   // a second worker in the same slot, or a worker beyond the target
    int staying = 0;                // number of workers that count toward the surge, in `slots` and `surplus`
};

Roster build_roster(State& state, Generation wanted);

// Whether the worker counts toward target + max-surge: it stays and is not paused.
bool counts_toward_surge(const Worker& worker);

// Whether each slot has a ready worker of the wanted generation.
bool all_ready(const Roster& roster);

// Whether each slot has a settled worker of the wanted generation.
bool all_settled(const Roster& roster);

// Number of workers that a rollout can rely on: the ready ones. Of `unproven`, the generation being rolled out, only
// the settled ones count: the others may be about to fail.
int count_dependable(const Roster& roster, Generation unproven);

// Adds "settled" to the history, once per generation.
void record_settled(StepContext& context, const Roster& roster, Generation generation);

// Asks all surplus workers to leave.
void ask_surplus_to_leave(StepContext& context, Roster& roster);

// Asks the worker in `holder` to leave and removes it from the roster.
void ask_to_leave(StepContext& context, Roster& roster, Worker*& holder, Reason reason, const std::string& why);

// Fills an empty slot with a worker of `origin`: recalls one that is leaving, or launches one unless the slot is in
// backoff. Returns true if the slot is filled now.
bool fill_slot(StepContext& context, Roster& roster, std::size_t slot, const Origin& origin);

}  // namespace holdfast::core
