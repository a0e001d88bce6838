#include "core/roster.hpp"

#include <algorithm>

#include "core/describe/text.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

// If two workers stay in one slot, keeps the ready one, otherwise the older one; the other becomes surplus.
void place_worker(Roster& roster, Worker*& holder, Worker& worker) {
    if (holder == nullptr) {
        holder = &worker;
    } else if (!is_ready(*holder) && is_ready(worker)) {
        roster.surplus.push_back(std::exchange(holder, &worker));
    } else {
        roster.surplus.push_back(&worker);
    }
}

Instant starting_deadline(const StepContext& context) {
    const auto& first = context.state.first_generation;
    return first ? first->deadline : context.now + context.state.policy.ready_timeout;
}

void admit_clients(StepContext& context) {
    if (context.state.admission == Admission::accept) return;
    context.state.admission = Admission::accept;
    context.add(SetAdmission{Admission::accept});
    context.note(Level::info, "doors_opened", "accepting new connections again: a worker is starting");
}

Worker& launch(StepContext& context, SlotId slot, const Origin& origin) {
    State& state = context.state;
    Worker worker;
    worker.id = WorkerId{++state.last_worker};
    worker.generation = origin.generation;
    worker.slot = slot;
    worker.spec = origin.spec;
    worker.health = origin.health;
    worker.since = context.now;
    worker.deadline = starting_deadline(context);
    context.add(Spawn{worker.id, worker.generation, worker.slot, worker.spec});
    context.note(Level::info, "worker_launching", worker, "starting");
    return state.workers.emplace(worker.id, std::move(worker)).first->second;
}

}  // namespace

Roster build_roster(State& state, Generation wanted) {
    Roster roster;
    roster.slots.resize(static_cast<std::size_t>(state.target));
    for (auto& [id, worker] : state.workers) {
        const bool placed = worker.slot.value < roster.slots.size();
        if (counts_toward_surge(worker)) ++roster.staying;
        if (!placed) {
            if (stays(worker)) roster.surplus.push_back(&worker);
            continue;
        }
        Roster::RosterSlot& roster_slot = roster.slots[worker.slot.value];
        const bool is_wanted = worker.generation == wanted;
        if (stays(worker)) {
            place_worker(roster, is_wanted ? roster_slot.wanted : roster_slot.other, worker);
        } else if (is_wanted && can_be_recalled(worker)) {
            roster_slot.recallable = &worker;
        }
    }
    return roster;
}

bool counts_toward_surge(const Worker& worker) {
    return stays(worker) && (worker.state != WorkerState::paused || worker.recalled);
}

bool all_ready(const Roster& roster) {
    for (const Roster::RosterSlot& roster_slot : roster.slots) {
        if (roster_slot.wanted == nullptr || !is_ready(*roster_slot.wanted)) return false;
    }
    return true;
}

bool all_settled(const Roster& roster) {
    return std::ranges::all_of(roster.slots, [](const Roster::RosterSlot& roster_slot) {
        return roster_slot.wanted != nullptr && is_ready(*roster_slot.wanted) && roster_slot.wanted->settled;
    });
}

int count_dependable(const Roster& roster, Generation unproven) {
    const auto is_dependable = [&](const Worker* worker) {
        return worker != nullptr && is_ready(*worker) && (worker->generation != unproven || worker->settled);
    };
    int count = 0;
    for (const Roster::RosterSlot& roster_slot : roster.slots) {
        count += is_dependable(roster_slot.wanted) ? 1 : 0;
        count += is_dependable(roster_slot.other) ? 1 : 0;
    }
    return count;
}

void record_settled(StepContext& context, const Roster& roster, Generation generation) {
    if (context.state.settled == generation || context.state.target == 0 || !all_settled(roster)) return;
    context.state.settled = generation;
    context.record(generation, "settled", workers(context.state.target) + " settled");
}

void ask_surplus_to_leave(StepContext& context, Roster& roster) {
    const bool last_ones = context.state.target == 0;
    for (Worker* worker : roster.surplus) {
        const bool removed = worker->slot.value >= roster.slots.size();
        const std::string why = removed ? "scaled to " + workers(context.state.target) : "another worker has its slot";
        if (counts_toward_surge(*worker)) --roster.staying;
        ask_to_leave(context, *worker,
                     {removed ? Reason::scale : Reason::rollback, why,
                      removed && last_ones ? LameDuck::as_configured : LameDuck::skipped});
    }
    roster.surplus.clear();
}

void ask_to_leave(StepContext& context, Roster& roster, Worker*& holder, Reason reason, const std::string& why) {
    if (counts_toward_surge(*holder)) --roster.staying;
    ask_to_leave(context, *holder, {reason, why, LameDuck::skipped});
    holder = nullptr;
}

bool fill_slot(StepContext& context, Roster& roster, std::size_t slot, const Origin& origin) {
    Roster::RosterSlot& roster_slot = roster.slots[slot];
    Slot& record = context.state.slots[slot];
    const bool waits = record.next_attempt && *record.next_attempt > context.now;
    if (roster_slot.recallable == nullptr && waits) return false;
    admit_clients(context);
    if (roster_slot.recallable != nullptr) {
        recall(context, *roster_slot.recallable);
        roster_slot.wanted = std::exchange(roster_slot.recallable, nullptr);
    } else {
        roster_slot.wanted = &launch(context, SlotId{slot}, origin);
        if (std::exchange(record.crashed, false)) ++context.state.crashes_replaced;
        record.next_attempt.reset();
    }
    ++roster.staying;
    return true;
}

}  // namespace holdfast::core
