#pragma once

#include "core/turn.hpp"

namespace holdfast::core {

// Invariant 1: once no worker accepts any more and none will come, new clients are refused at once. They are let in
// again before a worker is launched (crew.cpp).
void close_doors_if_nobody_accepts(Turn& turn);

}  // namespace holdfast::core
