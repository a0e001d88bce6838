#include "runtime/loop.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>
#include <variant>

#include "core/signal_requests.hpp"
#include "os/errno_error.hpp"
#include "runtime/clock.hpp"

namespace holdfast::runtime {

namespace {

using boost::asio::posix::stream_descriptor;

Launching::Surroundings surroundings(const core::Configuration& configuration, const Holdings& holdings) {
    return {configuration.name, holdings.directory ? holdings.directory->path() : "",
            holdings.records ? &*holdings.records : nullptr, configuration.launch.output};
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

Loop::Loop(std::unique_ptr<Ground> ground, const core::Configuration& configuration, Holdings holdings)
    : configuration_(configuration),
      ground_(std::move(ground)),
      holdings_(std::move(holdings)),
      core_(configuration.policy, static_cast<std::uint64_t>(to_usec(now()))),
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
      launching_(ground_->io, workers_, pump_, ground_->log, ground_->listeners, launches_,
                 surroundings(configuration_, holdings_)),
      deeds_({workers_, launching_, reaping_, hearing_, ground_->listeners, ground_->log, *holdings_.manager,
              [this](RequestId id, const core::Outcome& outcome) { answer(id, outcome); },
              [this](int exit_code) { finish(exit_code); }}),
      timer_(ground_->io) {}

Loop::~Loop() { forget(signals_); }

void Loop::ask(core::Request request, std::function<void(core::Outcome)> answer) {
    const RequestId id{++last_request_.value};
    askers_[id] = std::move(answer);
    pump_.push(core::Asked{id, std::move(request)});
}

core::Status Loop::snapshot() const {
    core::Status status = core_.snapshot(now());
    status.name = configuration_.name;
    status.pid = ::getpid();
    status.listeners = ground_->listeners.status();
    return status;
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
    if (received.signal == SIGHUP && holdings_.signals->is_terminal_gone(received)) {
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
    Worker* worker = launching_.answered(std::move(result));
    if (worker != nullptr) {
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
