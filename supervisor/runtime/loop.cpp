#include "runtime/loop.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <cstdlib>
#include <utility>
#include <variant>

#include "core/signal_requests.hpp"
#include "os/errno_error.hpp"
#include "os/state_directory.hpp"
#include "runtime/clock.hpp"

namespace holdfast::runtime {

namespace {

using boost::asio::posix::stream_descriptor;

Launching::Surroundings surroundings(const core::Configuration& configuration, const Holdings& holdings) {
    return {configuration.name, holdings.directory ? holdings.directory->path() : "",
            holdings.records ? &*holdings.records : nullptr};
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

// Words can wait for deeds, and what is over for what begins: a replacement is on its way before anybody reads of it,
// and before its predecessor is tidied away.
enum class Turn { act, note, tidy };

Turn turn_of(const core::Action& action) {
    if (std::holds_alternative<core::Note>(action)) return Turn::note;
    if (std::holds_alternative<core::Forget>(action)) return Turn::tidy;
    return Turn::act;
}

}  // namespace

Loop::Ground::Ground(const core::Configuration& configuration)
    : io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      output(STDERR_FILENO),
      log(output, configuration.log_format, configuration.name, configuration.log_level),
      listeners(io, log) {}

Loop::Loop(std::unique_ptr<Ground> ground, const core::Configuration& configuration, Holdings holdings,
           Plans::Reread reread)
    : configuration_(configuration),
      ground_(std::move(ground)),
      holdings_(std::move(holdings)),
      ledger_(ground_->io, ground_->log, state_directories(configuration)),
      core_(configuration.policy, static_cast<std::uint64_t>(to_usec(now())), ledger_.last_generation()),
      pump_(ground_->io, [this](const core::Event& event) { deliver(event); }),
      launches_(configuration.launch, holdings_.environment,
                [this](LaunchResult result) {
                    boost::asio::post(ground_->io, [this, moved = std::make_shared<LaunchResult>(std::move(result))] {
                        launched(std::move(*moved));
                    });
                }),
      hearing_(ground_->io, workers_, pump_, ground_->log, ground_->output,
               [this](Worker& worker) { reaping_.main_ended(worker); }),
      reaping_(workers_, pump_, hearing_, launches_),
      plans_(configuration, std::move(reread), ground_->listeners, specs_),
      preparing_(hands_for_preparing()),
      probing_(ground_->io, pump_),
      claims_(pump_, reaping_),
      launching_(ground_->io, workers_, pump_, ground_->log, ground_->listeners, launches_, specs_, plans_,
                 surroundings(configuration_, holdings_)),
      deeds_({workers_, preparing_, plans_, launching_, probing_, claims_, ledger_, reaping_, hearing_,
              ground_->listeners, ground_->log, *holdings_.manager,
              [this](RequestId id, const core::Outcome& outcome) { answer(id, outcome); },
              [this](int exit_code) { finish(exit_code); }}),
      timer_(ground_->io) {
    reaping_.ask_about_others([this](pid_t pid, const ExitStatus& status) { return preparing_.judge(pid, status); });
}

Loop::~Loop() { forget(signals_); }

void Loop::ask(core::Request request, std::function<void(core::Outcome)> answer) {
    const RequestId id{++last_request_.value};
    askers_[id] = std::move(answer);
    pump_.push(core::Asked{id, std::move(request)});
}

Preparing::Hands Loop::hands_for_preparing() {
    return {ground_->io,
            pump_,
            ground_->output,
            ground_->listeners,
            specs_,
            plans_,
            configuration_.name,
            holdings_.environment,
            [this](Generation generation, ProgramFacts facts) { ledger_.know(generation, std::move(facts)); },
            [this] { reaping_.collect_the_left(); }};
}

std::vector<int> Loop::release_admin_sockets() {
    std::vector<int> result;
    for (auto& listener : holdings_.admin) {
        if (listener.fd) result.push_back(listener.fd.release());
    }
    return result;
}

Result<core::Reload> Loop::read_again(core::Reload::Workers at_least, const std::string& asked_by) {
    auto read = plans_.read_again(at_least);
    if (!read) {
        ground_->log.write(core::Level::error, "reload_refused",
                           "the reload asked for by " + asked_by + " changes nothing: " + read.error().text);
    }
    return read;
}

void Loop::reload(std::string asked_by, std::function<void(core::Outcome)> answer) {
    auto read = read_again(core::Reload::Workers::keep, asked_by);
    if (!read) return answer({core::Outcome::Result::refused, read.error().text, {}, 1});
    ask({std::move(*read), std::move(asked_by)}, std::move(answer));
}

// Without a file there is nothing to read: what can be new then is the program.
void Loop::take_hang_up(std::string who) {
    if (plans_.in_force()->file.empty()) {
        return pump_.push(core::Asked{RequestId{}, {core::Restart{}, std::move(who)}});
    }
    auto read = read_again(core::Reload::Workers::replace, who);
    if (read) pump_.push(core::Asked{RequestId{}, {std::move(*read), std::move(who)}});
}

core::Status Loop::snapshot() const {
    core::Status status = core_.snapshot(now());
    status.name = configuration_.name;
    status.pid = ::getpid();
    status.listeners = ground_->listeners.status();
    return status;
}

std::string Loop::unready_because() const { return core_.unready_because(now()); }

std::vector<core::LastOutput> Loop::last_output() const {
    std::vector<core::LastOutput> result;
    for (const auto& [id, worker] : workers_) {
        if (!worker->leader) continue;
        result.push_back({worker->name, worker->pid(), core::LastOutput::Of::living, worker->last_lines.lines()});
    }
    for (const auto& [slot, output] : reaping_.last_outputs()) result.push_back(output);
    return result;
}

int Loop::run(std::function<void(std::function<void()>)> last) {
    last_ = std::move(last);
    ground_->log.write(
        core::Level::info, "supervisor_started",
        "holding " + std::to_string(ground_->listeners.fds().size()) + " listeners, pid " + std::to_string(::getpid()));
    if (const auto watched = ground_->listeners.watch(); !watched) {
        ground_->log.write(core::Level::warning, "listeners_not_watched", watched.error().text);
    }
    if (const int failed = wait_for(signals_, ground_->io, holdings_.signals->fd())) {
        ground_->log.write(core::Level::error, "signals_not_heard", os::errno_error("wait for signals", failed).text);
        return 70;
    }
    await_signal();
    const Instant moment = now();
    carry_out(core_.start(moment), moment);
    set_timer();
    ground_->io.run();
    return exit_code_.value_or(70);
}

void Loop::deliver(const core::Event& event) {
    if (exit_code_) return;
    const Instant moment = now();
    carry_out(core_.step(event, moment), moment);
    set_timer();
}

void Loop::carry_out(const std::vector<core::Action>& actions, Instant moment) {
    ground_->log.stop_clock(moment);
    for (const Turn turn : {Turn::act, Turn::note, Turn::tidy}) {
        for (const auto& action : actions) {
            if (turn_of(action) == turn) deeds_.carry_out(action);
        }
    }
    ground_->log.start_clock();
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
        pump_.push(core::Elapsed{});
    });
}

void Loop::await_signal() {
    signals_->async_wait(stream_descriptor::wait_read, [this](boost::system::error_code failed) {
        if (failed) return;
        while (const auto received = holdings_.signals->read()) take_signal(*received);
        await_signal();
    });
}

void Loop::take_signal(const os::ReceivedSignal& received) {
    if (received.signal == SIGCHLD) return reaping_.collect();
    auto request = core::request_for(received.signal);
    std::string who = sender(received);
    if (received.signal == SIGHUP) {
        if (!holdings_.signals->is_terminal_gone(received)) return take_hang_up(std::move(who));
        if (holdings_.hang_up == os::HangUp::ignored) return;
        request = core::Request{core::Stop{}, {}};
        who = "the terminal's hang-up";
    }
    if (!request) {
        ground_->log.write(core::Level::warning, "signal_ignored", who + " has no meaning in this version; ignored");
        return;
    }
    request->asked_by = std::move(who);
    pump_.push(core::Asked{RequestId{}, std::move(*request)});
}

void Loop::launched(LaunchResult result) {
    // The first generation's is resolved with its first worker.
    const Spec* spec = specs_.find(result.spec_id);
    const bool was_resolved = spec == nullptr || spec->held != nullptr;
    Worker* worker = launching_.answered(std::move(result));
    if (!was_resolved && spec->held != nullptr) ledger_.know(spec->made_for, facts_of(*spec));
    if (worker != nullptr) {
        reaping_.launched(*worker);
        if (worker->wanted == Worker::Wanted::dead) {
            static_cast<void>(reaping_.kill(*worker));
        }
        hearing_.start(*worker);
    }
    reaping_.collect_the_left();
}

void Loop::answer(RequestId id, const core::Outcome& outcome) {
    const auto asker = askers_.find(id);
    if (asker == askers_.end()) return;
    const auto answer = std::move(asker->second);
    askers_.erase(asker);
    answer(outcome);
}

void Loop::finish(int exit_code) {
    exit_code_ = exit_code;
    timer_.cancel();
    // What nobody asked for yet is not answered any more; what was asked has its answer.
    last_([this] { ground_->io.stop(); });
}

}  // namespace holdfast::runtime
