#include "runtime/worker.hpp"

#include <utility>

namespace holdfast::runtime {

Worker::~Worker() {
    forget(notify);
    forget(main_watch);
}

Worker& WorkerTable::add(std::unique_ptr<Worker> worker) {
    Worker& added = *worker;
    workers_.emplace(added.id, std::move(worker));
    return added;
}

void WorkerTable::launched(Worker& worker, os::Leader leader) {
    worker.leader = std::move(leader);
    worker.leader_pid = worker.leader.pid();
    by_pid_[worker.leader_pid] = worker.id;
}

void WorkerTable::erase(WorkerId id) {
    const auto found = workers_.find(id);
    if (found == workers_.end()) return;
    if (found->second->leader) by_pid_.erase(found->second->leader.pid());
    workers_.erase(found);
}

Worker* WorkerTable::find(WorkerId id) {
    const auto found = workers_.find(id);
    return found == workers_.end() ? nullptr : found->second.get();
}

const Worker* WorkerTable::find(WorkerId id) const {
    const auto found = workers_.find(id);
    return found == workers_.end() ? nullptr : found->second.get();
}

Worker* WorkerTable::find_leader(pid_t pid) {
    const auto found = by_pid_.find(pid);
    return found == by_pid_.end() ? nullptr : find(found->second);
}

}  // namespace holdfast::runtime
