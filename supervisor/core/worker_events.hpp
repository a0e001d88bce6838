#pragma once

#include "core/event.hpp"
#include "core/step_context.hpp"

namespace holdfast::core {

// What happens to one worker from outside: launched, heard, lost, ended. Changes facts; reconcile() draws the
// conclusions. An event about a worker that is forgotten is ignored.

void on_spawned(StepContext& context, const Spawned& event);
void on_spawn_failed(StepContext& context, const SpawnFailed& event);
void on_said(StepContext& context, const Said& event);
void on_channel_lost(StepContext& context, const ChannelLost& event);
void on_main_exited(StepContext& context, const MainExited& event);
void on_exited(StepContext& context, const Exited& event);

// The launch is known to have succeeded.
void mark_launched(StepContext& context, Worker& worker);

// The deadline of its state has passed.
void on_worker_deadline(StepContext& context, WorkerId id);

}  // namespace holdfast::core
