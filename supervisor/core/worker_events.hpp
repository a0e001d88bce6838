#pragma once

#include "core/event.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// Event handlers for a single worker. They only update its recorded state; reconcile() decides what to do. Events for
// an unknown worker are ignored.

void on_spawned(StepContext& context, const Spawned& event);
void on_spawn_failed(StepContext& context, const SpawnFailed& event);
void on_said(StepContext& context, const Said& event);
void on_channel_lost(StepContext& context, const ChannelLost& event);
void on_main_exited(StepContext& context, const MainExited& event);
void on_looked_again(StepContext& context, const LookedAgain& event);
void on_exited(StepContext& context, const Exited& event);

// Records that the launch has succeeded.
void mark_launched(StepContext& context, Worker& worker);

// Handles the deadline of the worker's current state.
void on_worker_deadline(StepContext& context, WorkerId id);

}  // namespace holdfast::core
