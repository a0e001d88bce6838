#pragma once

#include "core/event.hpp"
#include "core/turn.hpp"

namespace holdfast::core {

// What happens to one worker from outside: launched, heard, lost, ended. Changes facts; reconcile() draws the
// conclusions. An event about a worker that is forgotten is ignored.

void on_spawned(Turn& turn, const Spawned& event);
void on_spawn_failed(Turn& turn, const SpawnFailed& event);
void on_said(Turn& turn, const Said& event);
void on_channel_lost(Turn& turn, const ChannelLost& event);
void on_main_exited(Turn& turn, const MainExited& event);
void on_exited(Turn& turn, const Exited& event);

// The launch is known to have succeeded.
void begin_life(Turn& turn, Worker& worker);

// The deadline of its state has passed.
void on_worker_deadline(Turn& turn, WorkerId id);

}  // namespace holdfast::core
