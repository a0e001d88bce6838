#pragma once

#include <optional>

#include "core/turn.hpp"

namespace holdfast::core {

// What the service manager above us is told.

// STATUS=, when the sentence has changed.
void say_status(Turn& turn);

// While everything ends: until when it must wait for us. Said again when the end has moved, and while drains make
// progress, once a second at most.
void ask_for_time(Turn& turn);

// When ask_for_time() has something to say that could not be said yet.
std::optional<Instant> asks_for_time_at(const State& state);

}  // namespace holdfast::core
