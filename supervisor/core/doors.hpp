#pragma once

#include <optional>

#include "core/turn.hpp"

namespace holdfast::core {

// Invariant 1: once no worker accepts any more and none will come, new clients are refused at once; also where nobody
// has served for `queue_for`, and no worker lives that may accept. They are let in again before a worker is launched
// (crew.cpp).
void close_doors_if_nobody_accepts(Turn& turn);

// The same for listeners that are to be closed, because the generation that stays does not have them: they are refused
// once nobody of another spec accepts, and not only when the last of those has ended.
void refuse_others_if_nobody_accepts(Turn& turn);

// Before anybody of another spec is launched or told to run.
void accept_for_others(Turn& turn);

// When clients will have waited for long enough; nothing while somebody may accept them.
std::optional<Instant> doors_close_at(const State& state);

}  // namespace holdfast::core
