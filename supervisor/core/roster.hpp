#pragma once

#include <vector>

#include "core/step_context.hpp"

namespace holdfast::core {

// Who holds which place: the workers that stay, seen from one generation. One look at all workers, taken anew by each
// reconciliation; the pointers are good as long as no worker is forgotten.
struct Roster {
    struct RosterSlot {
        Worker* wanted = nullptr;      // of the generation looked for
        Worker* other = nullptr;       // of another one
        Worker* recallable = nullptr;  // leaves, of the generation looked for; could be told to run
    };
    std::vector<RosterSlot> slots;  // by slot, below the target
    std::vector<Worker*> surplus;   // a second one in a place, or beyond the target
    int staying = 0;                // all that take room, in slots and surplus
};

Roster build_roster(State& state, Generation wanted);

// It counts for what a rollout may have beside the target: it stays, and is not paused.
bool counts_toward_surge(const Worker& worker);

// Whether each place has a worker of the wanted generation that is ready.
bool all_ready(const Roster& roster);

// And that has settled.
bool all_settled(const Roster& roster);

// How many can be counted on: those that are ready, and of `unproven`, the generation that a rollout brings, those that
// have settled: one that has not may be about to fail.
int count_dependable(const Roster& roster, Generation unproven);

// Once of each generation, for the ledger.
void record_settled(StepContext& context, const Roster& roster, Generation generation);

// Asks all surplus workers to leave.
void ask_surplus_to_leave(StepContext& context, Roster& roster);

// Asks the worker in `holder` to leave and takes it off the roster.
void ask_to_leave(StepContext& context, Roster& roster, Worker*& holder, Reason reason, const std::string& why);

// Gives a free place a worker of `origin`: takes one back that was told to leave, or launches one, unless the slot
// backs off. True if the place is held now.
bool fill_slot(StepContext& context, Roster& roster, std::size_t slot, const Origin& origin);

}  // namespace holdfast::core
