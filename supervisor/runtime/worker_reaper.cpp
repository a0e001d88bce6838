#include "runtime/worker_reaper.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::runtime {

namespace {

// What the deepest look has open at a time: directories of processes and threads, a file, a pidfd.
constexpr int reserved_descriptors = 6;

// While something cannot be seen. No event tells that a descriptor is free again.
constexpr std::chrono::milliseconds look_interval{200};

std::string text_of(const std::optional<Error>& error) { return error ? error->text : ""; }

}  // namespace

WorkerReaper::WorkerReaper(boost::asio::io_context& io, WorkerTable& workers, EventQueue& event_queue,
                           WorkerChannels& channels, const LaunchThread& launches, Log& log, os::OomCount out_of_memory)
    : workers_(workers),
      event_queue_(event_queue),
      channels_(channels),
      launches_(launches),
      log_(log),
      reserve_(reserved_descriptors),
      next_look_(io),
      out_of_memory_(std::move(out_of_memory)) {}

void WorkerReaper::launched(Worker& worker) const { worker.out_of_memory_kills = out_of_memory_.read().value_or(0); }

void WorkerReaper::collect() {
    deferred_ = Deferred::none;
    const auto collect_ended = [this] {
        return reaper_.collect([this](pid_t pid, const ExitStatus& status) { return classify(pid, status); });
    };
    auto collected = collect_ended();
    if (!collected) collected = reserve_.lend(collect_ended);
    if (!collected) note_not_seen(collected.error());
    // An ended child may have been the last process of a worker whose leader had ended before.
    std::erase_if(ended_leaders_, [this](WorkerId id) {
        Worker* worker = workers_.find(id);
        if (worker != nullptr && worker->leader) check_processes(*worker);
        return worker == nullptr || !worker->leader;
    });
}

void WorkerReaper::collect_deferred() {
    if (deferred_ == Deferred::some) collect();
}

void WorkerReaper::disown(Worker& worker) {
    if (!worker.leader) return;
    workers_.reaped(worker.leader.pid());
    reaper_.disown(worker.leader);
}

void WorkerReaper::main_ended(Worker& worker) {
    if (worker.main == Worker::Main::ended) return;
    channels_.read_rest(worker);
    report_main_exited(worker, scan(worker));
}

os::ProcessTree WorkerReaper::scan(Worker& worker) {
    return look([&] { return os::scan_tree(query(worker), worker.seen); });
}

os::ProcessTree WorkerReaper::kill(Worker& worker) {
    auto tree = look([&] { return os::kill_tree_now(query(worker), worker.seen); });
    if (tree.not_known) kills_to_repeat_.push_back(worker.id);
    return tree;
}

os::ProcessTree WorkerReaper::signal_strays(Worker& worker, int signal) {
    os::ProcessTree tree = scan(worker);
    // Only those that were missed: a second signal means something else to many servers.
    const auto missed = os::signal_strays(tree.strays, signal);
    if (!missed.empty()) reserve_.lend([&] { return os::signal_strays(missed, signal); });
    return tree;
}

template <class Look>
os::ProcessTree WorkerReaper::look(Look look) {
    os::ProcessTree tree = look();
    if (tree.not_known) tree = reserve_.lend(look);
    if (tree.not_known) note_not_seen(*tree.not_known);
    return tree;
}

void WorkerReaper::note_not_seen(const Error& failure) {
    if (std::exchange(sight_, Sight::lost) == Sight::clear) {
        log_.write(core::Level::warning, "processes_not_seen",
                   failure.text + "; whether processes of workers are left is not known; looking again");
    }
    has_missed_ = true;
    next_look_.expires_after(look_interval);
    next_look_.async_wait([this](const boost::system::error_code& error) {
        if (!error) look_again();
    });
}

void WorkerReaper::look_again() {
    has_missed_ = false;
    for (const WorkerId id : std::exchange(kills_to_repeat_, {})) {
        if (Worker* worker = workers_.find(id); worker != nullptr && worker->leader) kill(*worker);
    }
    collect();
    if (has_missed_) return;
    sight_ = Sight::clear;
    log_.write(core::Level::info, "processes_seen", "the processes of the workers can be seen again");
}

os::ReapDecision WorkerReaper::classify(pid_t pid, const ExitStatus& status) {
    if (Worker* worker = workers_.find_leader(pid)) {
        worker->leader_status = status;
        // Reaped at once if no process of the worker is left, so that the reaper need not search for other children. If
        // the worker has declared another main process, the end of that process must be processed first; it may have
        // come at the same time.
        if (!worker->declared_main) check_processes(*worker);
        if (worker->leader) ended_leaders_.push_back(worker->id);
        return os::ReapDecision::keep;
    }
    for (auto& [id, worker] : workers_) {
        if (worker->declared_main && worker->declared_main.pid() == pid) worker->declared_status = status;
    }
    const auto others = classify_others_ ? classify_others_(pid, status) : std::nullopt;
    if (others == os::ReapDecision::reap || (launches_.in_flight() == 0 && !others)) return os::ReapDecision::reap;
    deferred_ = Deferred::some;
    return os::ReapDecision::defer;
}

void WorkerReaper::check_processes(Worker& worker) {
    const os::ProcessTree tree = scan(worker);
    if (tree.empty()) return report_exited(worker);
    const bool main_lives = worker.declared_main && !os::has_ended(worker.declared_main);
    if (main_lives) return;
    if (worker.main == Worker::Main::ended) return report_look(worker, tree);
    channels_.read_rest(worker);
    report_main_exited(worker, tree);
}

// Only what changes what is known.
void WorkerReaper::report_look(Worker& worker, const os::ProcessTree& tree) {
    const auto seen_all = tree.not_known ? Worker::SeenAll::no : Worker::SeenAll::yes;
    if (std::exchange(worker.seen_all, seen_all) == seen_all) return;
    event_queue_.push(core::LookedAgain{worker.id, static_cast<int>(tree.strays.size()), text_of(tree.not_known)});
}

void WorkerReaper::report_main_exited(Worker& worker, const os::ProcessTree& tree) {
    worker.main = Worker::Main::ended;
    worker.seen_all = tree.not_known ? Worker::SeenAll::no : Worker::SeenAll::yes;
    const auto status = worker.declared_status.value_or(worker.leader_status.value_or(ExitStatus{}));
    event_queue_.push(core::MainExited{worker.id, status, static_cast<int>(tree.group.size()),
                                       static_cast<int>(tree.strays.size()), text_of(tree.not_known)});
}

void WorkerReaper::report_exited(Worker& worker) {
    channels_.read_rest(worker);
    const pid_t pid = worker.leader.pid();
    const auto reaped = reaper_.reap(worker.leader);
    workers_.reaped(pid);
    const auto status = worker.declared_status.value_or(reaped ? *reaped : *worker.leader_status);
    store_last_output(worker, worker.last_lines.lines());
    std::vector<std::string> listeners;
    for (const auto& listener : worker.listeners) listeners.push_back(listener.address);
    event_queue_.push(
        core::Exited{worker.id, status, worker.last_lines.lines(), kill_cause(worker, status), std::move(listeners)});
}

// The kernel reports how many processes it killed for lack of memory, but not which ones. Each of them is attributed to
// one worker that was killed by a SIGKILL that we did not send.
core::KilledBy WorkerReaper::kill_cause(const Worker& worker, const ExitStatus& status) {
    const auto* killed = std::get_if<KilledBy>(&status);
    if (killed == nullptr || !os::is_kill(killed->signal)) return core::KilledBy::not_known;
    if (worker.kill_requested == Worker::KillRequested::yes) return core::KilledBy::not_known;
    const auto count = out_of_memory_.read();
    const auto attributed = std::max(attributed_oom_kills_, worker.out_of_memory_kills);
    if (!count || *count <= attributed) return core::KilledBy::not_known;
    attributed_oom_kills_ = attributed + 1;
    return core::KilledBy::out_of_memory;
}

void WorkerReaper::store_last_output(const Worker& worker, std::vector<std::string> lines) {
    if (last_outputs_.size() >= max_last_outputs && !last_outputs_.contains(worker.slot)) {
        last_outputs_.erase(std::prev(last_outputs_.end()));
    }
    last_outputs_[worker.slot] = {worker.name, worker.pid(), core::LastOutput::Of::ended, std::move(lines)};
}

os::TreeQuery WorkerReaper::query(const Worker& worker) const {
    return {worker.leader, worker.markers, [this](pid_t pid) { return workers_.is_leader(pid); }};
}

}  // namespace holdfast::runtime
