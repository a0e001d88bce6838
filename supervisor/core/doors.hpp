#pragma once

#include <optional>

#include "core/turn.hpp"

namespace holdfast::core {

// Invariant 1: once no worker accepts any more and none will come, new clients are refused at once; also where nobody
// has served for `queue_for`, and no worker lives that may accept. They are let in again before a worker is launched
// (crew.cpp).
void close_doors_if_nobody_accepts(Turn& turn);

// When clients will have waited for long enough; nothing while somebody may accept them.
std::optional<Instant> doors_close_at(const State& state);

}  // namespace holdfast::core
