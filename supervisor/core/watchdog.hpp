#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// --watchdog: a worker that promised to say WATCHDOG=1 and has been silent for too long is given up.
//
// Only the silence that the supervisor was awake to hear counts. State::awake is a clock that each step moves by the
// time since the step before, but by `max_counted_gap` at most, a quarter of the shortest watchdog; so that no healthy
// worker looks silent because a stalled supervisor read nothing. A supervisor that is awake is called once each such
// gap, which is what a watchdog costs: a wake-up each quarter of it, as long as anybody is watched.

// Moves the clock; first thing in each step.
void advance_awake_clock(State& state, Instant now);

// It has just got ready: from now on silence counts, if it ever speaks.
void start_watchdog(StepContext& context, Worker& worker);

// What it said of its own health; and anything else that shows that it speaks.
void on_watchdog_report(StepContext& context, Worker& worker, std::optional<Watchdog> said);

// Gives up who has been silent for too long.
void expire_watchdogs(StepContext& context);

// When its silence will have lasted too long, if it stays silent and we stay awake; nothing for one that is not
// watched.
std::optional<Instant> silent_until(const State& state, const Worker& worker);

// When we have to be awake next to hear.
std::optional<Instant> watchdog_tick_at(const State& state);

}  // namespace holdfast::core
