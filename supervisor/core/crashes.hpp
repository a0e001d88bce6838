#pragma once

#include <string>
#include <vector>

#include "core/turn.hpp"

namespace holdfast::core {

// A worker ended, or must leave, without having been asked to: any exit, status 0 too, a launch that failed, a ready
// timeout. Its slot is refilled, the first time at once, then with growing pauses; a rollout that wanted it fails.
void count_crash(Turn& turn, const Worker& worker, const std::string& what, const std::vector<std::string>& last_words);

// A worker stops on its own account: no crash, its successor comes at once. One that never served, or hardly, is
// counted as a crash all the same, or it could keep the supervisor busy for ever.
void count_own_stop(Turn& turn, const Worker& worker);

// An operator's request forgives all crashes.
void forgive_crashes(State& state);

// The worker has been ready for so long that the crashes before it no longer count.
bool has_outlived_crashes(const Worker& worker, Instant now);

}  // namespace holdfast::core
