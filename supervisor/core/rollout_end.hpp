#pragma once

#include <string>

#include "core/turn.hpp"

namespace holdfast::core {

// How a rollout is told of at its start and ends, whichever way it went.

// "restart to generation 3, asked for by …"
std::string describe_start(const State& state, const Rollout& rollout);

// The next generation serves alone. A reload may go on as a change of the target.
void finish_rollout(Turn& turn);

// After the probation, when the old ones are gone: it serves with fewer workers than it should.
void finish_rollout_short(Turn& turn);

// It was refused, or taken back, before anything was launched.
void refuse_rollout(Turn& turn);

// After a way back: `end` says what serves now.
void finish_rollback(Turn& turn, Outcome::Result result, const std::string& end);

// Listeners that only others had are closed as soon as nobody who has them lives.
void close_other_listeners(Turn& turn);

// A reload's policy is in force no longer.
void restore_rules(State& state);

}  // namespace holdfast::core
