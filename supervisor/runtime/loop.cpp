#include "runtime/loop.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "core/signal_requests.hpp"
#include "os/errno_error.hpp"
#include "os/state_directory.hpp"
#include "runtime/clock.hpp"

namespace holdfast::runtime {

namespace {

using boost::asio::posix::stream_descriptor;

WorkerLauncher::Settings launch_settings(const core::Configuration& configuration, const StartupResources& resources) {
    return {configuration.name, resources.directory ? resources.directory->path() : "",
            resources.records ? &*resources.records : nullptr};
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::vector<std::string> state_directories(const core::Configuration& configuration) {
    return os::candidate_state_directories(
        configuration.name, {configuration.state_dir, variable("STATE_DIRECTORY"), variable("XDG_STATE_HOME"),
                             variable("HOME"), ::geteuid()});
}

std::string sender(const os::ReceivedSignal& received) {
    const std::string name = signal_name(received.signal);
    if (received.origin == os::Origin::kernel) return name + " from the terminal";
    return name + " from pid " + std::to_string(received.sender_pid) + ", uid " + std::to_string(received.sender_uid);
}

}  // namespace

Loop::Foundation::Foundation(const core::Configuration& configuration)
    : io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      output(STDERR_FILENO),
      log(output, configuration.log_format, configuration.name, configuration.log_level),
      listeners(io, log) {}

Loop::Loop(std::unique_ptr<Foundation> foundation, const core::Configuration& configuration, StartupResources resources,
           ReloadPlans::Reread reread)
    : configuration_(configuration),
      foundation_(std::move(foundation)),
      resources_(std::move(resources)),
      history_(foundation_->io, foundation_->log, state_directories(configuration)),
      core_(configuration.policy, static_cast<std::uint64_t>(to_usec(now())), history_.last_generation()),
      event_queue_(foundation_->io, [this](const core::Event& event) { deliver(event); }),
      launches_(
          configuration.launch, resources_.environment,
          [this](LaunchResult result) {
              boost::asio::post(foundation_->io, [this, moved = std::make_shared<LaunchResult>(std::move(result))] {
                  launched(std::move(*moved));
              });
          },
          resources_.descriptors),
      channels_(foundation_->io, workers_, event_queue_, foundation_->log, foundation_->output,
                [this](Worker& worker) { worker_reaper_.main_ended(worker); }),
      worker_reaper_(foundation_->io, workers_, event_queue_, channels_, launches_, foundation_->log),
      plans_(configuration, std::move(reread), foundation_->listeners, specs_),
      launch_preparation_(preparation_dependencies()),
      readiness_prober_(foundation_->io, event_queue_),
      listener_claim_checker_(event_queue_, worker_reaper_),
      worker_launcher_(foundation_->io, workers_, event_queue_, foundation_->log, foundation_->listeners, launches_,
                       specs_, plans_, launch_settings(configuration_, resources_)),
      action_executor_({workers_, launch_preparation_, plans_, worker_launcher_, readiness_prober_,
                        listener_claim_checker_, history_, worker_reaper_, channels_, foundation_->listeners,
                        foundation_->log, *resources_.manager,
                        [this](RequestId id, const core::Outcome& outcome) { answer(id, outcome); },
                        [this](int exit_code) { finish(exit_code); }}),
      timer_(foundation_->io) {
    worker_reaper_.set_other_children_classifier(
        [this](pid_t pid, const ExitStatus& status) { return launch_preparation_.classify(pid, status); });
}

Loop::~Loop() { forget(signals_); }

void Loop::ask(core::Request request, std::function<void(core::Outcome)> answer) {
    const RequestId id{++last_request_.value};
    answer_handlers_[id] = std::move(answer);
    event_queue_.push(core::Asked{id, std::move(request)});
}

LaunchPreparation::Dependencies Loop::preparation_dependencies() {
    return {
        foundation_->io,
        event_queue_,
        foundation_->output,
        foundation_->listeners,
        specs_,
        plans_,
        configuration_.name,
        resources_.environment,
        resources_.descriptors,
        [this](Generation generation, ProgramFacts facts) { history_.set_program_facts(generation, std::move(facts)); },
        [this] { worker_reaper_.collect_deferred(); }};
}

std::vector<int> Loop::release_admin_sockets() {
    std::vector<int> result;
    for (auto& listener : resources_.admin) {
        if (listener.fd) result.push_back(listener.fd.release());
    }
    return result;
}

Result<core::Reload> Loop::read_again(core::Reload::Workers at_least, const std::string& asked_by) {
    auto read = plans_.read_again(at_least);
    if (!read) {
        foundation_->log.write(core::Level::error, "reload_refused",
                               "the reload asked for by " + asked_by + " changes nothing: " + read.error().text);
    }
    return read;
}

void Loop::reload(std::string asked_by, std::function<void(core::Outcome)> answer) {
    auto read = read_again(core::Reload::Workers::keep, asked_by);
    if (!read) return answer({core::Outcome::Result::refused, read.error().text, {}, 1});
    ask({std::move(*read), std::move(asked_by)}, std::move(answer));
}

// Without a configuration file SIGHUP restarts the workers, because the program may have changed.
void Loop::handle_sighup(std::string who) {
    if (plans_.in_force()->file.empty()) {
        return event_queue_.push(core::Asked{RequestId{}, {core::Restart{}, std::move(who)}});
    }
    auto read = read_again(core::Reload::Workers::replace, who);
    if (read) event_queue_.push(core::Asked{RequestId{}, {std::move(*read), std::move(who)}});
}

core::Status Loop::snapshot() const {
    core::Status status = core_.snapshot(now());
    status.name = configuration_.name;
    status.pid = ::getpid();
    status.listeners = foundation_->listeners.status();
    return status;
}

std::string Loop::unready_because() const { return core_.unready_because(now()); }

std::vector<core::LastOutput> Loop::last_output() const {
    std::vector<core::LastOutput> result;
    for (const auto& [id, worker] : workers_) {
        if (!worker->leader) continue;
        result.push_back({worker->name, worker->pid(), core::LastOutput::Of::living, worker->last_lines.lines()});
    }
    for (const auto& [slot, output] : worker_reaper_.last_outputs()) result.push_back(output);
    return result;
}

int Loop::run(std::function<void(std::function<void()>)> on_shutdown) {
    on_shutdown_ = std::move(on_shutdown);
    foundation_->log.write(core::Level::info, "supervisor_started",
                           "holding " + std::to_string(foundation_->listeners.fds().size()) + " listeners, pid " +
                               std::to_string(::getpid()));
    if (const auto watched = foundation_->listeners.watch(); !watched) {
        foundation_->log.write(core::Level::warning, "listeners_not_watched", watched.error().text);
    }
    if (const int failed = wait_for(signals_, foundation_->io, resources_.signals->fd())) {
        foundation_->log.write(core::Level::error, "signals_not_heard",
                               os::errno_error("wait for signals", failed).text);
        return 70;
    }
    await_signal();
    const Instant moment = now();
    execute(core_.start(moment), moment);
    set_timer();
    foundation_->io.run();
    return exit_code_.value_or(70);
}

void Loop::deliver(const core::Event& event) {
    if (exit_code_) return;
    const Instant moment = now();
    execute(core_.step(event, moment), moment);
    set_timer();
}

void Loop::execute(const std::vector<core::Action>& actions, Instant moment) {
    foundation_->log.stop_clock(moment);
    for (const auto& action : actions) action_executor_.execute(action);
    foundation_->log.start_clock();
}

void Loop::set_timer() {
    const auto deadline = exit_code_ ? std::nullopt : core_.next_deadline();
    if (deadline == timer_set_to_) return;
    timer_set_to_ = deadline;
    if (!deadline) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(*deadline);
    timer_.async_wait([this](boost::system::error_code failed) {
        if (failed) return;
        timer_set_to_.reset();
        event_queue_.push(core::Elapsed{});
    });
}

void Loop::await_signal() {
    signals_->async_wait(stream_descriptor::wait_read, [this](boost::system::error_code failed) {
        if (failed) return;
        while (const auto received = resources_.signals->read()) handle_signal(*received);
        await_signal();
    });
}

void Loop::handle_signal(const os::ReceivedSignal& received) {
    if (received.signal == SIGCHLD) return worker_reaper_.collect();
    auto request = core::request_for(received.signal);
    std::string who = sender(received);
    if (received.signal == SIGHUP) {
        if (!resources_.signals->is_terminal_gone(received)) return handle_sighup(std::move(who));
        if (resources_.sighup == os::SighupDisposition::ignored) return;
        request = core::Request{core::Stop{}, {}};
        who = "the terminal's hang-up";
    }
    if (!request) {
        foundation_->log.write(core::Level::warning, "signal_ignored",
                               who + " has no meaning in this version; ignored");
        return;
    }
    request->asked_by = std::move(who);
    event_queue_.push(core::Asked{RequestId{}, std::move(*request)});
}

void Loop::launched(LaunchResult result) {
    // The spec of the first generation is resolved when its first worker is launched.
    const GenerationSpec* spec = specs_.find(result.spec_id);
    const bool was_resolved = spec == nullptr || spec->launch_spec != nullptr;
    Worker* worker = worker_launcher_.on_launch_result(std::move(result));
    if (!was_resolved && spec->launch_spec != nullptr) history_.set_program_facts(spec->made_for, facts_of(*spec));
    if (worker != nullptr) {
        worker_reaper_.launched(*worker);
        if (worker->kill_requested == Worker::KillRequested::yes) {
            static_cast<void>(worker_reaper_.kill(*worker));
        }
        channels_.start(*worker);
    }
    worker_reaper_.collect_deferred();
}

void Loop::answer(RequestId id, const core::Outcome& outcome) {
    const auto handler = answer_handlers_.find(id);
    if (handler == answer_handlers_.end()) return;
    const auto answer = std::move(handler->second);
    answer_handlers_.erase(handler);
    answer(outcome);
}

void Loop::finish(int exit_code) {
    exit_code_ = exit_code;
    timer_.cancel();
    // Open requests have been answered by now; later ones get no answer.
    on_shutdown_([this] { foundation_->io.stop(); });
}

}  // namespace holdfast::runtime
