#pragma once

#include "core/step_context.hpp"

namespace holdfast::core {

// Queues a change. The queue holds at most one change that replaces the workers (restart, reload, rollback) and one
// scale; a new change replaces the queued one of its group. If both are of the same kind, the earlier request joins the
// new one and gets its outcome (never for a scale). Otherwise it is answered `superseded` at once.
void enqueue(StepContext& context, PendingChange change);

// Answers `askers` with `superseded` because of a later request of `by`.
void supersede(StepContext& context, const std::vector<RequestId>& askers, const std::string& by);

// Empties the queue and answers all requests in it with `outcome`.
void drop_pending(StepContext& context, const Outcome& outcome);

}  // namespace holdfast::core
