#include "runtime/launching.hpp"

#include <unistd.h>

#include <utility>

#include "os/control_pipe.hpp"
#include "os/pipe.hpp"

namespace holdfast::runtime {

namespace {

constexpr int first_inherited_fd = 3;

std::string worker_name(const core::Spawn& spawn) {
    return std::to_string(spawn.generation.value) + "." + std::to_string(spawn.slot.value);
}

}  // namespace

Launching::Launching(boost::asio::io_context& io, WorkerTable& workers, Pump& pump, Log& log, Listeners& listeners,
                     LaunchThread& launches, Surroundings surroundings)
    : io_(io),
      workers_(workers),
      pump_(pump),
      log_(log),
      listeners_(listeners),
      launches_(launches),
      surroundings_(std::move(surroundings)) {}

void Launching::spawn(const core::Spawn& action) {
    auto made = std::make_unique<Worker>();
    made->id = action.worker;
    made->generation = action.generation;
    made->slot = action.slot;
    made->spec = action.spec;
    made->name = worker_name(action);
    Worker& worker = workers_.add(std::move(made));
    auto prepared = prepare(worker);
    if (const auto* failure = std::get_if<os::LaunchFailure>(&prepared)) {
        pump_.push(core::SpawnFailed{worker.id, failure->stage, failure->error_number});
    } else {
        launches_.launch(std::move(std::get<LaunchJob>(prepared)));
    }
}

void Launching::forget(WorkerId id) {
    Worker* worker = workers_.find(id);
    if (worker == nullptr) return;
    if (worker->started_as == 0) {
        launches_.abandon(id);
    } else if (surroundings_.records != nullptr) {
        surroundings_.records->remove(worker->started_as);
    }
    workers_.erase(id);
}

Worker* Launching::answered(LaunchResult result) {
    launches_.delivered();
    if (result.spec) specs_[result.spec_id] = result.spec;
    Worker* worker = workers_.find(result.worker);
    auto* leader = std::get_if<os::Leader>(&result.outcome);
    if (worker == nullptr) {
        if (leader != nullptr) static_cast<void>(os::kill_now(leader->process()));
        return nullptr;
    }
    if (leader == nullptr) {
        const auto& failure = std::get<os::LaunchFailure>(result.outcome);
        pump_.push(core::SpawnFailed{worker->id, failure.stage, failure.error_number});
        return nullptr;
    }
    worker->uid = result.spec->credentials ? result.spec->credentials->uid : ::getuid();
    workers_.launched(*worker, std::move(*leader));
    record(*worker);
    pump_.push(core::Spawned{worker->id, worker->leader.pid()});
    return worker;
}

std::variant<LaunchJob, os::LaunchFailure> Launching::prepare(Worker& worker) {
    LaunchJob job;
    job.worker = worker.id;
    job.spec_id = worker.spec;
    if (const auto known = specs_.find(worker.spec); known != specs_.end()) job.spec = known->second;
    job.plan.inherited_fds = listeners_.fds();
    job.plan.listener_names = listeners_.names();
    if (auto failure = open_channels(worker, job)) return std::move(*failure);
    const int control_fd = first_inherited_fd + static_cast<int>(job.plan.inherited_fds.size()) - 1;
    job.plan.environment = environment(worker, control_fd);
    return job;
}

std::optional<os::LaunchFailure> Launching::open_channels(Worker& worker, LaunchJob& job) {
    auto pipe = os::open_control_pipe();
    if (!pipe) return os::LaunchFailure{"make its control pipe", pipe.error().code};
    auto notify = os::NotifySocket::open(surroundings_.notify_directory, std::to_string(worker.id.value));
    if (!notify) return os::LaunchFailure{"make its notify socket", notify.error().code};
    worker.markers = {"HOLDFAST_CONTROL_INODE=" + std::to_string(pipe->workers_inode)};
    worker.notify_socket.emplace(std::move(*notify));
    if (const int failed = wait_for(worker.notify, io_, worker.notify_socket->fd())) {
        return os::LaunchFailure{"wait for its notify socket", failed};
    }
    if (const int failed = keep(worker.control, std::move(pipe->ours))) {
        return os::LaunchFailure{"wait for its control pipe", failed};
    }
    job.plan.inherited_fds.push_back(pipe->workers.get());
    job.worker_side.push_back(std::move(pipe->workers));
    return surroundings_.output == WorkerOutput::tee ? open_output(worker, job) : std::nullopt;
}

std::optional<os::LaunchFailure> Launching::open_output(Worker& worker, LaunchJob& job) {
    auto pipe = os::open_output_pipe();
    if (!pipe) return os::LaunchFailure{"make a pipe for its standard error", pipe.error().code};
    if (const int failed = keep(worker.error_output, std::move(pipe->reader))) {
        return os::LaunchFailure{"wait for its standard error", failed};
    }
    job.plan.error_fd = pipe->writer.get();
    job.worker_side.push_back(std::move(pipe->writer));
    return std::nullopt;
}

int Launching::keep(Descriptor& descriptor, os::UniqueFd fd) {
    const int failed = wait_for(descriptor, io_, fd.get());
    if (failed == 0) static_cast<void>(fd.release());
    return failed;
}

std::vector<std::string> Launching::environment(const Worker& worker, int control_fd) const {
    return {
        "HOLDFAST_NAME=" + surroundings_.service,
        "HOLDFAST_GENERATION=" + std::to_string(worker.generation.value),
        "HOLDFAST_SLOT=" + std::to_string(worker.slot.value),
        "HOLDFAST_WORKER=" + worker.name,
        "HOLDFAST_CONTROL_FD=" + std::to_string(control_fd),
        worker.markers.front(),
        "NOTIFY_SOCKET=" + worker.notify_socket->address(),
    };
}

void Launching::record(const Worker& worker) {
    if (surroundings_.records == nullptr) return;
    const auto recorded = surroundings_.records->add(worker.leader.pid(), worker.name);
    if (!recorded)
        log_.write(core::Level::warning, "worker_not_recorded", {worker.name, worker.pid()}, recorded.error().text);
}

}  // namespace holdfast::runtime
