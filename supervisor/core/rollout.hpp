#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/step_context.hpp"

namespace holdfast::core {

// Replaces one generation by another. Forward:
//
//   preparing ──► launching ──► (commit) ──► probation ──► retiring ──► done
//   spec, veto    new workers    old workers  only with     old workers
//                 settle         pause or     --probation   terminate
//                                leave
//
// A failure starts a rollback (rollback.hpp). Before the commit the old workers are not affected by it. After the
// probation no failure starts a rollback.

// Whether no worker of the new generation has been launched yet.
bool is_preparing(const Rollout& rollout);

void begin_rollout(StepContext& context, const PendingChange& change);

void on_prepared(StepContext& context, const Prepared& event);

void advance_rollout(StepContext& context);

// Fails the rollout because a worker of the new generation failed. Does nothing for other workers.
void fail_rollout_by(StepContext& context, const Worker& worker, const std::string& what,
                     const std::vector<std::string>& last_words);

// Reverts the rollout on an operator's request. `asker` is answered when the rollback ends.
void undo_rollout(StepContext& context, RequestId asker, const std::string& asked_by);

// Drops what a rollout that was interrupted by a stop has requested from the runtime: the preparation and the plan.
void abandon_rollout(StepContext& context, const Rollout& rollout);

// Stores the last words for the answer if this worker caused the failure.
void keep_last_words(State& state, const Worker& worker, const std::vector<std::string>& last_words);

// The next deadline of the rollout itself, without those of its workers; and the handler for it.
Instant next_deadline(const Rollout& rollout);
void expire_rollout(StepContext& context);

}  // namespace holdfast::core
