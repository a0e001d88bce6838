#pragma once

#include <optional>

#include "core/step_context.hpp"

namespace holdfast::core {

// --watchdog: terminates a worker that has sent no WATCHDOG=1 for too long. It applies to workers that have sent
// HELLO=1, READY=1 or WATCHDOG=1.
//
// The timeout does not include time in which the supervisor was stalled and read no messages. State::awake is the
// clock: each step advances it by the time since the previous step, but by at most `max_counted_gap`, a quarter of the
// shortest watchdog. The supervisor therefore wakes up at least once per such gap while any worker is monitored.

// Advances the clock. Must be called first in each step.
void advance_awake_clock(State& state, Instant now);

// Starts the timeout of a worker that has just become ready, if it has sent any message.
void start_watchdog(StepContext& context, Worker& worker);

// Handles the WATCHDOG= field of a message, and starts the timeout of a ready worker with its first message.
void on_watchdog_report(StepContext& context, Worker& worker, std::optional<Watchdog> said);

// Fails the workers whose timeout has expired.
void expire_watchdogs(StepContext& context);

// When the worker's timeout expires if it sends nothing and the supervisor is not stalled; nullopt if the worker is not
// monitored.
std::optional<Instant> silent_until(const State& state, const Worker& worker);

// When the supervisor must wake up next for the clock; nullopt if no worker is monitored.
std::optional<Instant> watchdog_tick_at(const State& state);

}  // namespace holdfast::core
