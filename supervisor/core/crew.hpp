#pragma once

#include <vector>

#include "core/turn.hpp"

namespace holdfast::core {

// Who holds which place: the workers that stay, seen from one generation. One look at all workers, taken anew by each
// reconciliation; the pointers are good as long as no worker is forgotten.
struct Crew {
    struct Place {
        Worker* wanted = nullptr;      // of the generation looked for
        Worker* other = nullptr;       // of another one
        Worker* recallable = nullptr;  // leaves, of the generation looked for; could be told to run
    };
    std::vector<Place> places;     // by slot, below the target
    std::vector<Worker*> surplus;  // a second one in a place, or beyond the target
    int staying = 0;               // all that take room, in places and surplus
};

Crew take_crew(State& state, Generation wanted);

// It counts for what a rollout may have beside the target: it stays, and is not paused.
bool takes_room(const Worker& worker);

// Whether each place has a worker of the wanted generation that is ready.
bool all_ready(const Crew& crew);

// And that has settled.
bool all_settled(const Crew& crew);

// How many can be counted on: those that are ready, and of `unproven`, the generation that a rollout brings, those that
// have settled: one that has not may be about to fail.
int count_dependable(const Crew& crew, Generation unproven);

// Once of each generation, for the ledger.
void record_settled(Turn& turn, const Crew& crew, Generation generation);

// Asks all surplus workers to leave.
void dismiss_surplus(Turn& turn, Crew& crew);

// Asks the worker in `place` to leave and takes it off the crew.
void dismiss(Turn& turn, Crew& crew, Worker*& place, Reason reason, const std::string& why);

// Gives a free place a worker of `origin`: takes one back that was told to leave, or launches one, unless the slot
// backs off. True if the place is held now.
bool fill(Turn& turn, Crew& crew, std::size_t slot, const Origin& origin);

}  // namespace holdfast::core
