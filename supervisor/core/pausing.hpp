#pragma once

#include "core/request.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// The whole service stops accepting and keeps its queue, for `max_pause` at most; then it resumes by itself. Both
// requests are answered at once: what was told, to how many. A worker that gets ready meanwhile is told to pause too.

void pause_workers(StepContext& context, RequestId asker, const std::string& asked_by);
void resume_workers(StepContext& context, RequestId asker);

// Who is ready in a paused service is told.
void keep_paused(StepContext& context);

// It has lasted as long as it may.
void end_pause(StepContext& context);

}  // namespace holdfast::core
