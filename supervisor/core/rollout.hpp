#pragma once

#include <string>
#include <vector>

#include "core/turn.hpp"

namespace holdfast::core {

// A restart: a new generation takes the place of the serving one, never with fewer ready workers than the policy
// allows, and never with more that stay than target + surge. Any unasked end of a new worker before the answer turns it
// back: then the former generation takes its place back by the same arithmetic.

void begin_rollout(Turn& turn, RequestId asker, const std::string& asked_by);

// One step forward or back, as far as things stand; answers when it is over.
void advance_rollout(Turn& turn);

// If `worker` is one of the new ones, the rollout has failed.
void fail_rollout_by(Turn& turn, const Worker& worker, const std::string& what,
                     const std::vector<std::string>& last_words);

// The worker that made the rollout fail has ended: its last words belong to the answer.
void keep_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words);

}  // namespace holdfast::core
