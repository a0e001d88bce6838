#pragma once

#include "core/request.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// Pauses the service: all workers stop accepting, and connections stay queued, for at most `max_pause`; then the
// service resumes automatically. Both requests are answered at once, with the number of workers notified. A worker that
// becomes ready during the pause is paused as well.

void pause_workers(StepContext& context, RequestId asker, const std::string& asked_by);
void resume_workers(StepContext& context, RequestId asker);

// Pauses the workers that have become ready in a paused service.
void keep_paused(StepContext& context);

// Resumes the service because `max_pause` has elapsed.
void end_pause(StepContext& context);

}  // namespace holdfast::core
