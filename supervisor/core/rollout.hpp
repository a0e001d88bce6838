#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/step_context.hpp"

namespace holdfast::core {

// One generation takes the place of another. Forward:
//
//   preparing ──► launching ──► (commit) ──► probation ──► retiring ──► done
//   spec, veto    new workers    old ones     only where    old ones
//                 settle         pause, or    asked for     end
//                                leave
//
// A failure turns it back (rollback.hpp): before the commit that costs nothing. After probation nothing turns it back.

// Nothing has been launched yet: the former generation is kept as it is.
bool is_preparing(const Rollout& rollout);

void begin_rollout(StepContext& context, const PendingChange& change);

void on_prepared(StepContext& context, const Prepared& event);

void advance_rollout(StepContext& context);

// A worker of the new generation failed, and so the rollout does.
void fail_rollout_by(StepContext& context, const Worker& worker, const std::string& what,
                     const std::vector<std::string>& last_words);

// An operator takes it back; `asker` learns how that ends.
void undo_rollout(StepContext& context, RequestId asker, const std::string& asked_by);

// It will not be gone on with, because of a stop: whatever it has under way outside of the core is dropped.
void abandon_rollout(StepContext& context, const Rollout& rollout);

// If the worker is the one to blame, what it wrote last is part of the answer.
void keep_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words);

// The next deadline of the rollout itself, its workers' aside; and what happens then.
Instant next_deadline(const Rollout& rollout);
void expire_rollout(StepContext& context);

}  // namespace holdfast::core
