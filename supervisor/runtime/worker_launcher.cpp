#include "runtime/worker_launcher.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "os/control_pipe.hpp"
#include "os/listener_claim.hpp"
#include "os/pipe.hpp"

namespace holdfast::runtime {

namespace {

constexpr int first_inherited_fd = 3;

std::string worker_name(const core::Spawn& spawn) {
    return std::to_string(spawn.generation.value) + "." + std::to_string(spawn.slot.value);
}

std::string base_name(const std::string& command) {
    const auto slash = command.rfind('/');
    return slash == std::string::npos ? command : command.substr(slash + 1);
}

// The short form that users write and search for: ":8080" for "[::]:8080".
std::string short_address(const std::string& bound) {
    for (const std::string_view every : {"[::]", "0.0.0.0"}) {
        if (bound.starts_with(every)) return bound.substr(every.size());
    }
    return bound;
}

}  // namespace

WorkerLauncher::WorkerLauncher(boost::asio::io_context& io, WorkerTable& workers, EventQueue& event_queue, Log& log,
                               Listeners& listeners, LaunchThread& launches, LaunchSpecs& specs, ReloadPlans& plans,
                               Settings settings)
    : io_(io),
      workers_(workers),
      event_queue_(event_queue),
      log_(log),
      listeners_(listeners),
      launches_(launches),
      settings_(std::move(settings)),
      specs_(specs),
      plans_(plans) {}

void WorkerLauncher::spawn(const core::Spawn& action) {
    auto made = std::make_unique<Worker>();
    made->id = action.worker;
    made->generation = action.generation;
    made->slot = action.slot;
    made->spec = action.spec;
    made->name = worker_name(action);
    Worker& worker = workers_.add(std::move(made));
    auto prepared = prepare(worker);
    if (const auto* failure = std::get_if<os::LaunchFailure>(&prepared)) {
        event_queue_.push(core::SpawnFailed{worker.id, failure->stage, failure->error_number});
    } else {
        launches_.launch(std::move(std::get<LaunchJob>(prepared)));
    }
}

void WorkerLauncher::forget(WorkerId id) {
    Worker* worker = workers_.find(id);
    if (worker == nullptr) return;
    if (worker->leader_pid == 0) {
        launches_.abandon(id);
    } else if (settings_.records != nullptr) {
        settings_.records->remove(worker->leader_pid);
    }
    workers_.erase(id);
}

Worker* WorkerLauncher::on_launch_result(LaunchResult result) {
    launches_.delivered();
    if (GenerationSpec* spec = specs_.find(result.spec_id); spec != nullptr && result.spec)
        spec->launch_spec = result.spec;
    Worker* worker = workers_.find(result.worker);
    auto* leader = std::get_if<os::Leader>(&result.outcome);
    if (worker == nullptr) {
        if (leader != nullptr) static_cast<void>(os::kill_now(leader->process()));
        return nullptr;
    }
    if (leader == nullptr) {
        const auto& failure = std::get<os::LaunchFailure>(result.outcome);
        event_queue_.push(core::SpawnFailed{worker->id, failure.stage, failure.error_number});
        return nullptr;
    }
    worker->command = base_name(result.spec->argv.front());
    worker->uid = result.spec->credentials ? result.spec->credentials->uid : ::getuid();
    workers_.launched(*worker, std::move(*leader));
    record(*worker);
    event_queue_.push(core::Spawned{worker->id, worker->leader.pid()});
    return worker;
}

void WorkerLauncher::serve_with(LaunchSpecId id) {
    specs_.serve(id);
    if (const GenerationSpec* spec = specs_.find(id)) listeners_.serve(spec->listeners);
}

void WorkerLauncher::set_removed_listener_admission(LaunchSpecId id, core::Admission admission) {
    if (const GenerationSpec* spec = specs_.find(id))
        listeners_.set_removed_listener_admission(spec->listeners, admission);
}

void WorkerLauncher::forget_spec(LaunchSpecId id) {
    specs_.forget(id);
    listeners_.keep_only(specs_.listeners());
}

GenerationSpec& WorkerLauncher::spec_of(const Worker& worker) {
    if (GenerationSpec* known = specs_.find(worker.spec)) return *known;
    if (specs_.serving() == nullptr) specs_.serve(worker.spec);
    return specs_.add(worker.spec, {nullptr, plans_.in_force(), listeners_.in_force(), worker.generation});
}

std::variant<LaunchJob, os::LaunchFailure> WorkerLauncher::prepare(Worker& worker) {
    const GenerationSpec& spec = spec_of(worker);
    LaunchJob job;
    job.worker = worker.id;
    job.spec_id = worker.spec;
    job.spec = spec.launch_spec;
    job.configuration = spec.configuration;
    job.plan.watchdog_usec = spec.configuration->policy.watchdog.count();
    if (auto failure = pass_listeners(spec, worker, job)) return std::move(*failure);
    if (auto failure = open_probe(spec, worker, job)) return std::move(*failure);
    if (auto failure = open_channels(spec, worker, job)) return std::move(*failure);
    const int control_fd = first_inherited_fd + static_cast<int>(job.plan.inherited_fds.size()) - 1;
    for (std::string& entry : environment(worker, control_fd)) job.plan.environment.push_back(std::move(entry));
    return job;
}

// Duplicates the descriptors, because a reload may close a listener during the launch.
std::optional<os::LaunchFailure> WorkerLauncher::pass_listeners(const GenerationSpec& spec, Worker& worker,
                                                                LaunchJob& job) {
    std::string bound;  // by us: their numbers in the worker
    for (const auto& use : spec.listeners) {
        const int listener_fd = listeners_.fds({use}).front();
        os::UniqueFd copy{listener_fd < 0 ? -1 : ::fcntl(listener_fd, F_DUPFD_CLOEXEC, 0)};
        if (!copy) return os::LaunchFailure{"pass the listener " + use.name, listener_fd < 0 ? EBADF : errno};
        if (listeners_.ownership(use) == os::Ownership::ours) {
            const std::size_t number = first_inherited_fd + job.plan.inherited_fds.size();
            bound.append(bound.empty() ? "" : ",").append(std::to_string(number));
        }
        job.plan.inherited_fds.push_back(copy.get());
        job.plan.listener_names.push_back(use.name);
        worker.listeners.push_back(
            {os::socket_inode(listener_fd), short_address(listeners_.status({use}).front().address)});
        job.worker_side.push_back(std::move(copy));
    }
    if (!bound.empty()) job.plan.environment.push_back("HOLDFAST_BOUND_FDS=" + bound);
    return std::nullopt;
}

// The probe listener is the last one, so a program that takes only the first listeners does not see it.
std::optional<os::LaunchFailure> WorkerLauncher::open_probe(const GenerationSpec& spec, Worker& worker,
                                                            LaunchJob& job) {
    const auto* probe = std::get_if<core::ReadyProbe>(&spec.configuration->policy.ready_when);
    if (probe == nullptr) return std::nullopt;
    worker.probe = *probe;
    if (probe->where != core::ReadyProbe::Where::private_listener) return std::nullopt;
    auto listener = os::ProbeListener::open(settings_.notify_directory, std::to_string(worker.id.value));
    if (!listener) return os::LaunchFailure{"create its probe listener: " + listener.error().text, 0};
    // Duplicated, because the worker may be forgotten during the launch.
    os::UniqueFd copy{::fcntl(listener->fd(), F_DUPFD_CLOEXEC, 0)};
    if (!copy) return os::LaunchFailure{"pass its probe listener", errno};
    worker.probe_listener.emplace(std::move(*listener));
    job.plan.inherited_fds.push_back(copy.get());
    job.worker_side.push_back(std::move(copy));
    job.plan.listener_names.emplace_back("probe");
    return std::nullopt;
}

std::optional<os::LaunchFailure> WorkerLauncher::open_channels(const GenerationSpec& spec, Worker& worker,
                                                               LaunchJob& job) {
    auto pipe = os::open_control_pipe();
    if (!pipe) return os::LaunchFailure{"create its control pipe", pipe.error().code};
    auto notify = os::NotifySocket::open(settings_.notify_directory, std::to_string(worker.id.value));
    if (!notify) return os::LaunchFailure{"create its notify socket", notify.error().code};
    worker.markers = {"HOLDFAST_CONTROL_INODE=" + std::to_string(pipe->workers_inode)};
    worker.notify_socket.emplace(std::move(*notify));
    if (const int failed = wait_for(worker.notify, io_, worker.notify_socket->fd())) {
        return os::LaunchFailure{"watch its notify socket", failed};
    }
    if (const int failed = adopt_fd(worker.control, std::move(pipe->ours))) {
        return os::LaunchFailure{"watch its control pipe", failed};
    }
    job.plan.inherited_fds.push_back(pipe->workers.get());
    job.worker_side.push_back(std::move(pipe->workers));
    return spec.configuration->launch.output == WorkerOutput::tee ? open_output(worker, job) : std::nullopt;
}

std::optional<os::LaunchFailure> WorkerLauncher::open_output(Worker& worker, LaunchJob& job) {
    auto pipe = os::open_output_pipe();
    if (!pipe) return os::LaunchFailure{"create a pipe for its standard error", pipe.error().code};
    if (const int failed = adopt_fd(worker.error_output, std::move(pipe->reader))) {
        return os::LaunchFailure{"watch its standard error", failed};
    }
    job.plan.error_fd = pipe->writer.get();
    job.worker_side.push_back(std::move(pipe->writer));
    return std::nullopt;
}

int WorkerLauncher::adopt_fd(Descriptor& descriptor, os::UniqueFd fd) {
    const int failed = wait_for(descriptor, io_, fd.get());
    if (failed == 0) static_cast<void>(fd.release());
    return failed;
}

std::vector<std::string> WorkerLauncher::environment(const Worker& worker, int control_fd) const {
    return {
        "HOLDFAST_NAME=" + settings_.service,
        "HOLDFAST_GENERATION=" + std::to_string(worker.generation.value),
        "HOLDFAST_SLOT=" + std::to_string(worker.slot.value),
        "HOLDFAST_WORKER=" + worker.name,
        "HOLDFAST_CONTROL_FD=" + std::to_string(control_fd),
        worker.markers.front(),
        "NOTIFY_SOCKET=" + worker.notify_socket->address(),
    };
}

void WorkerLauncher::record(const Worker& worker) {
    if (settings_.records == nullptr) return;
    const auto recorded = settings_.records->add(worker.leader.pid(), worker.name);
    if (!recorded)
        log_.write(core::Level::warning, "worker_not_recorded", {worker.name, worker.pid()}, recorded.error().text);
}

}  // namespace holdfast::runtime
