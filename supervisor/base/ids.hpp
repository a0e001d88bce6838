#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace holdfast {

// A number with a type of its own, so that ids of different kinds cannot be mixed up.
template <class Tag>
struct Id {
    std::uint64_t value = 0;
    friend constexpr auto operator<=>(Id, Id) = default;
};

// Identifies one launch of one worker. Never reused while the supervisor runs, unlike a pid or a slot.
using WorkerId = Id<struct WorkerTag>;
// Index of a position that is filled by one worker: 0 … target − 1. Restarts keep it.
using SlotId = Id<struct SlotTag>;
// Number of the set of workers launched by one rollout: 1, 2, ….
using Generation = Id<struct GenerationTag>;
// Identifies what a generation is launched from: argv, environment, directory and executable. Held open by runtime/.
using LaunchSpecId = Id<struct LaunchSpecTag>;
// Identifies a configuration that was read but is not current yet. Held by runtime/ until it is adopted or dropped; 0:
// none.
using PlanId = Id<struct PlanTag>;
// Identifies an operator's request; 0: no answer is expected (a signal).
using RequestId = Id<struct RequestTag>;

}  // namespace holdfast

template <class Tag>
struct std::hash<holdfast::Id<Tag>> {
    std::size_t operator()(holdfast::Id<Tag> id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};
