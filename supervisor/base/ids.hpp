#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace holdfast {

// A number that cannot be mistaken for a number of another kind.
template <class Tag>
struct Id {
    std::uint64_t value = 0;
    friend constexpr auto operator<=>(Id, Id) = default;
};

// One launch of one worker: never used twice in a supervisor's life, unlike a pid, a slot or a generation.
using WorkerId = Id<struct WorkerTag>;
// Index of a place that should have a worker: 0 … target − 1. Stable over restarts.
using SlotId = Id<struct SlotTag>;
// 1, 2, …: the set of workers of one rollout.
using Generation = Id<struct GenerationTag>;
// What a generation was launched from: argv, environment, directory and executable, held open by runtime/.
using LaunchSpecId = Id<struct LaunchSpecTag>;
// A configuration that was read and is not in force yet, held by runtime/ until it is adopted or dropped; 0: none.
using PlanId = Id<struct PlanTag>;
// One question of one operator; 0 where nobody waits for the answer (a signal).
using RequestId = Id<struct RequestTag>;

}  // namespace holdfast

template <class Tag>
struct std::hash<holdfast::Id<Tag>> {
    std::size_t operator()(holdfast::Id<Tag> id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};
