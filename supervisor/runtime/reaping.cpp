#include "runtime/reaping.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::runtime {

Reaping::Reaping(WorkerTable& workers, Pump& pump, Hearing& hearing, const LaunchThread& launches,
                 os::OomCount out_of_memory)
    : workers_(workers),
      pump_(pump),
      hearing_(hearing),
      launches_(launches),
      out_of_memory_(std::move(out_of_memory)) {}

void Reaping::launched(Worker& worker) const { worker.out_of_memory_kills = out_of_memory_.read().value_or(0); }

void Reaping::collect() {
    left_ = Left::nobody;
    reaper_.collect([this](pid_t pid, const ExitStatus& status) { return judge(pid, status); });
    // Whoever ended may have been the last of a worker whose leader had ended before.
    std::erase_if(kept_, [this](WorkerId id) {
        Worker* worker = workers_.find(id);
        if (worker != nullptr && worker->leader) look_after(*worker);
        return worker == nullptr || !worker->leader;
    });
}

void Reaping::collect_the_left() {
    if (left_ == Left::somebody) collect();
}

void Reaping::leave_behind(Worker& worker) {
    if (!worker.leader) return;
    workers_.reaped(worker.leader.pid());
    reaper_.disown(worker.leader);
}

void Reaping::main_ended(Worker& worker) {
    if (worker.main == Worker::Main::ended) return;
    hearing_.read_rest(worker);
    tell_main_exited(worker, scan(worker));
}

os::ProcessTree Reaping::scan(Worker& worker) { return os::scan_tree(query(worker), worker.seen); }

os::ProcessTree Reaping::kill(Worker& worker) { return os::kill_tree_now(query(worker), worker.seen); }

os::Verdict Reaping::judge(pid_t pid, const ExitStatus& status) {
    if (Worker* worker = workers_.find_leader(pid)) {
        worker->leader_status = status;
        // Reaped at once if nothing of it is left: the reaper need not look behind it then. Where another process is
        // the main one, its end, which may have come with this one, is to be known first.
        if (!worker->declared_main) look_after(*worker);
        if (worker->leader) kept_.push_back(worker->id);
        return os::Verdict::keep;
    }
    for (auto& [id, worker] : workers_) {
        if (worker->declared_main && worker->declared_main.pid() == pid) worker->declared_status = status;
    }
    const auto others = judge_others_ ? judge_others_(pid, status) : std::nullopt;
    if (others == os::Verdict::reap || (launches_.in_flight() == 0 && !others)) return os::Verdict::reap;
    left_ = Left::somebody;
    return os::Verdict::later;
}

void Reaping::look_after(Worker& worker) {
    const os::ProcessTree tree = scan(worker);
    if (tree.empty()) return tell_exited(worker);
    const bool main_lives = worker.declared_main && !os::has_ended(worker.declared_main);
    if (main_lives || worker.main == Worker::Main::ended) return;
    hearing_.read_rest(worker);
    tell_main_exited(worker, tree);
}

void Reaping::tell_main_exited(Worker& worker, const os::ProcessTree& tree) {
    worker.main = Worker::Main::ended;
    const auto status = worker.declared_status.value_or(worker.leader_status.value_or(ExitStatus{}));
    pump_.push(
        core::MainExited{worker.id, status, static_cast<int>(tree.group.size()), static_cast<int>(tree.strays.size())});
}

void Reaping::tell_exited(Worker& worker) {
    hearing_.read_rest(worker);
    const pid_t pid = worker.leader.pid();
    const auto reaped = reaper_.reap(worker.leader);
    workers_.reaped(pid);
    const auto status = worker.declared_status.value_or(reaped ? *reaped : *worker.leader_status);
    keep_output(worker, worker.last_lines.lines());
    std::vector<std::string> listeners;
    for (const auto& handed : worker.listeners) listeners.push_back(handed.address);
    pump_.push(
        core::Exited{worker.id, status, worker.last_lines.lines(), killer_of(worker, status), std::move(listeners)});
}

// The kernel says how many it killed for want of memory, not whom. Each one explains the end of one worker that was
// killed while it lived, by a SIGKILL that was not ours.
core::KilledBy Reaping::killer_of(const Worker& worker, const ExitStatus& status) {
    const auto* killed = std::get_if<KilledBy>(&status);
    if (killed == nullptr || !os::is_kill(killed->signal)) return core::KilledBy::not_known;
    if (worker.wanted == Worker::Wanted::dead) return core::KilledBy::not_known;
    const auto count = out_of_memory_.read();
    const auto explained = std::max(explained_kills_, worker.out_of_memory_kills);
    if (!count || *count <= explained) return core::KilledBy::not_known;
    explained_kills_ = explained + 1;
    return core::KilledBy::out_of_memory;
}

void Reaping::keep_output(const Worker& worker, std::vector<std::string> lines) {
    if (last_outputs_.size() >= most_kept && !last_outputs_.contains(worker.slot)) {
        last_outputs_.erase(std::prev(last_outputs_.end()));
    }
    last_outputs_[worker.slot] = {worker.name, worker.pid(), core::LastOutput::Of::ended, std::move(lines)};
}

os::TreeQuery Reaping::query(const Worker& worker) const {
    return {worker.leader, worker.markers, [this](pid_t pid) { return workers_.is_leader(pid); }};
}

}  // namespace holdfast::runtime
