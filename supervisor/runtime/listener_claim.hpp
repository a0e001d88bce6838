#pragma once

#include "runtime/event_queue.hpp"
#include "runtime/worker.hpp"
#include "runtime/worker_reaper.hpp"

namespace holdfast::runtime {

// Executes CheckListenerClaim: checks in /proc whether any process of a worker has a listener open.
class ListenerClaimChecker {
  public:
    ListenerClaimChecker(EventQueue& event_queue, WorkerReaper& worker_reaper)
        : event_queue_(event_queue), worker_reaper_(worker_reaper) {}

    void check(Worker& worker);

  private:
    EventQueue& event_queue_;
    WorkerReaper& worker_reaper_;
};

// "no process of worker 1.0 has :8080 open: does `npm` close inherited descriptors? run node directly"
std::string missing_listener_claim(const Worker& worker);

}  // namespace holdfast::runtime
