#include "runtime/pre_restart.hpp"

#include <array>
#include <csignal>
#include <memory>
#include <string_view>
#include <utility>

#include "os/pipe.hpp"

namespace holdfast::runtime {

namespace {

using boost::asio::posix::stream_descriptor;

constexpr int max_chunks_at_exit = 64;  // more than its pipe can contain

std::variant<os::Leader, os::LaunchFailure> launch_shell(const os::LaunchSpec& worker_spec, const std::string& command,
                                                         const os::LaunchPlan& plan) {
    auto spec = os::resolve_other_command(worker_spec, {"/bin/sh", "-c", command});
    if (auto* failure = std::get_if<os::LaunchFailure>(&spec)) return std::move(*failure);
    os::Launcher launcher;
    return launcher.launch(std::get<os::LaunchSpec>(spec), plan);
}

}  // namespace

PreRestart::PreRestart(boost::asio::io_context& io, Output& output, SharedLaunchSpec worker_spec, std::string command,
                       std::vector<std::string> environment, std::function<void(Verdict)> done,
                       std::function<void()> collect)
    : io_(io), output_(output), done_(std::move(done)), collect_(std::move(collect)), grace_timer_(io) {
    const std::string problem = launch(std::move(worker_spec), std::move(command), std::move(environment));
    if (!problem.empty()) report("cannot run --pre-restart: " + problem);
}

PreRestart::~PreRestart() {
    if (leader_) static_cast<void>(os::kill_group_now(leader_));
}

// Returns the error; empty if the launch has started.
std::string PreRestart::launch(SharedLaunchSpec worker_spec, std::string command,
                               std::vector<std::string> environment) {
    auto opened = os::open_output_pipe();
    if (!opened) return opened.error().text;
    if (const int failed = wait_for(pipe_, io_, opened->reader.get())) {
        return os::describe({"watch its output", failed});
    }
    static_cast<void>(opened->reader.release());
    const auto writer = std::make_shared<const os::UniqueFd>(std::move(opened->writer));
    os::LaunchPlan plan;
    plan.environment = std::move(environment);
    plan.output_fd = plan.error_fd = writer->get();
    const auto work = [worker_spec = std::move(worker_spec), command = std::move(command), plan = std::move(plan),
                       writer] { return launch_shell(*worker_spec, command, plan); };
    try {
        launch_.emplace(
            io_, work, [this](Launched outcome) { launched(std::move(outcome)); },
            [](Launched outcome) {
                // It has executed no code of the command yet. The reaper will reap it as an unknown child.
                if (const auto* leader = std::get_if<os::Leader>(&outcome)) {
                    static_cast<void>(os::kill_now(leader->process()));
                }
            });
    } catch (const std::system_error& refused) {
        return refused.code().message();
    }
    return {};
}

void PreRestart::launched(Launched outcome) {
    launch_.reset();
    if (auto* leader = std::get_if<os::Leader>(&outcome)) {
        leader_ = std::move(*leader);
        await_output();
    } else {
        report("cannot run --pre-restart: " + os::describe(std::get<os::LaunchFailure>(outcome)));
    }
    collect_();  // it may have ended before its pid was known
}

void PreRestart::cancel() {
    done_ = nullptr;
    launch_.reset();
    if (!leader_) return;
    static_cast<void>(os::signal_group(leader_, SIGTERM));
    grace_timer_.expires_after(grace_period);
    grace_timer_.async_wait([this](boost::system::error_code failed) {
        if (!failed && leader_) static_cast<void>(os::kill_group_now(leader_));
    });
}

std::optional<os::ReapDecision> PreRestart::classify(pid_t pid, const ExitStatus& status) {
    if (launch_) return os::ReapDecision::defer;
    if (!leader_ || pid != leader_.pid()) return std::nullopt;
    // Kills what the command left in its process group. The leader is not reaped yet, so the group id is still valid.
    static_cast<void>(os::kill_group_now(leader_));
    for (int chunk = 0; chunk < max_chunks_at_exit && pipe_ && read_output() == Open::yes; ++chunk) {
    }
    output_lines_.finish(output_);
    leader_ = os::Leader{};
    grace_timer_.cancel();
    report(status == ExitStatus(ExitedWith{0}) ? "" : "--pre-restart failed: " + describe(status));
    return os::ReapDecision::reap;
}

void PreRestart::await_output() {
    pipe_->async_wait(stream_descriptor::wait_read, [this](boost::system::error_code failed) {
        if (!failed && pipe_ && read_output() == Open::yes) await_output();
    });
}

PreRestart::Open PreRestart::read_output() {
    std::array<char, 4096> buffer{};
    const os::Chunk chunk = os::read_chunk(pipe_->native_handle(), buffer);
    if (chunk.reading == os::Reading::nothing) return Open::yes;
    if (chunk.reading == os::Reading::end) {
        pipe_.reset();
        return Open::no;
    }
    const std::string_view bytes(buffer.data(), chunk.size);
    last_lines_.add(bytes);
    output_lines_.copy(bytes, output_);
    return Open::yes;
}

void PreRestart::report(std::string fault) {
    if (!done_) return;
    // Posted, because `done` may destroy this object.
    boost::asio::post(io_, [done = std::exchange(done_, nullptr),
                            verdict = Verdict{std::move(fault), last_lines_.lines()}] { done(verdict); });
}

}  // namespace holdfast::runtime
