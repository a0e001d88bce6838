#include "core/crew.hpp"

#include <algorithm>

#include "core/ladder.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

// Of two that stay in one place, a ready one is kept before one that is not, and the older one before the younger.
void take_place(Crew& crew, Worker*& place, Worker& worker) {
    if (place == nullptr) {
        place = &worker;
    } else if (!is_ready(*place) && is_ready(worker)) {
        crew.surplus.push_back(std::exchange(place, &worker));
    } else {
        crew.surplus.push_back(&worker);
    }
}

Instant starting_deadline(const Turn& turn) {
    const auto& first = turn.state.first_generation;
    return first ? first->deadline : turn.now + turn.state.policy.ready_timeout;
}

void open_doors(Turn& turn) {
    if (turn.state.doors == Doors::accept) return;
    turn.state.doors = Doors::accept;
    turn.add(SetDoors{Doors::accept});
    turn.note(Level::info, "doors_opened", "listening again: a worker is coming");
}

Worker& launch(Turn& turn, SlotId slot, const Origin& origin) {
    State& state = turn.state;
    Worker worker;
    worker.id = WorkerId{++state.last_worker};
    worker.generation = origin.generation;
    worker.slot = slot;
    worker.spec = origin.spec;
    worker.terms = origin.terms;
    worker.since = turn.now;
    worker.deadline = starting_deadline(turn);
    turn.add(Spawn{worker.id, worker.generation, worker.slot, worker.spec});
    turn.note(Level::info, "worker_launching", worker, "launching");
    return state.workers.emplace(worker.id, std::move(worker)).first->second;
}

}  // namespace

Crew take_crew(State& state, Generation wanted) {
    Crew crew;
    crew.places.resize(static_cast<std::size_t>(state.target));
    for (auto& [id, worker] : state.workers) {
        const bool placed = worker.slot.value < crew.places.size();
        if (takes_room(worker)) ++crew.staying;
        if (!placed) {
            if (stays(worker)) crew.surplus.push_back(&worker);
            continue;
        }
        Crew::Place& place = crew.places[worker.slot.value];
        const bool is_wanted = worker.generation == wanted;
        if (stays(worker)) {
            take_place(crew, is_wanted ? place.wanted : place.other, worker);
        } else if (is_wanted && can_be_recalled(worker)) {
            place.recallable = &worker;
        }
    }
    return crew;
}

bool takes_room(const Worker& worker) {
    return stays(worker) && (worker.state != WorkerState::paused || worker.recalled);
}

bool all_ready(const Crew& crew) {
    for (const Crew::Place& place : crew.places) {
        if (place.wanted == nullptr || !is_ready(*place.wanted)) return false;
    }
    return true;
}

bool all_settled(const Crew& crew) {
    return std::ranges::all_of(crew.places, [](const Crew::Place& place) {
        return place.wanted != nullptr && is_ready(*place.wanted) && place.wanted->settled;
    });
}

int count_dependable(const Crew& crew, Generation unproven) {
    const auto is_dependable = [&](const Worker* worker) {
        return worker != nullptr && is_ready(*worker) && (worker->generation != unproven || worker->settled);
    };
    int count = 0;
    for (const Crew::Place& place : crew.places) {
        count += is_dependable(place.wanted) ? 1 : 0;
        count += is_dependable(place.other) ? 1 : 0;
    }
    return count;
}

void record_settled(Turn& turn, const Crew& crew, Generation generation) {
    if (turn.state.settled == generation || turn.state.target == 0 || !all_settled(crew)) return;
    turn.state.settled = generation;
    turn.record(generation, "settled", workers(turn.state.target) + " settled");
}

void dismiss_surplus(Turn& turn, Crew& crew) {
    const bool last_ones = turn.state.target == 0;
    for (Worker* worker : crew.surplus) {
        const bool removed = worker->slot.value >= crew.places.size();
        const std::string why = removed ? "scaled to " + workers(turn.state.target) : "its place is taken";
        if (takes_room(*worker)) --crew.staying;
        ask_to_leave(turn, *worker,
                     {removed ? Reason::scale : Reason::rollback, why,
                      removed && last_ones ? LameDuck::as_configured : LameDuck::skipped});
    }
    crew.surplus.clear();
}

void dismiss(Turn& turn, Crew& crew, Worker*& place, Reason reason, const std::string& why) {
    if (takes_room(*place)) --crew.staying;
    ask_to_leave(turn, *place, {reason, why, LameDuck::skipped});
    place = nullptr;
}

bool fill(Turn& turn, Crew& crew, std::size_t slot, const Origin& origin) {
    Crew::Place& place = crew.places[slot];
    Slot& record = turn.state.slots[slot];
    const bool waits = record.next_attempt && *record.next_attempt > turn.now;
    if (place.recallable == nullptr && waits) return false;
    open_doors(turn);
    if (place.recallable != nullptr) {
        recall(turn, *place.recallable);
        place.wanted = std::exchange(place.recallable, nullptr);
    } else {
        place.wanted = &launch(turn, SlotId{slot}, origin);
        if (std::exchange(record.crashed, false)) ++turn.state.crashes_replaced;
        record.next_attempt.reset();
    }
    ++crew.staying;
    return true;
}

}  // namespace holdfast::core
