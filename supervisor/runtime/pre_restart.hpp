#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/exit_status.hpp"
#include "os/launcher.hpp"
#include "os/reaper.hpp"
#include "runtime/blocking_task.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/last_lines.hpp"
#include "runtime/launch_specs.hpp"
#include "runtime/line_copier.hpp"
#include "runtime/output.hpp"

namespace holdfast::runtime {

// Runs the command of --pre-restart with /bin/sh, in the environment of the new workers but without their listeners.
//
// The process is owned by an os::Leader. Boost.Process v2's basic_process is not suitable: it would reap the process
// itself, in competition with the reaper of this process, its destructor would kill the process, and it can signal only
// the process but not its group.
class PreRestart {
  public:
    struct Verdict {
        std::string fault;  // a sentence; empty: the restart may continue
        std::vector<std::string> last_words;
    };
    // The time between SIGTERM and SIGKILL after cancel().
    static constexpr Duration grace_period = std::chrono::seconds{5};

    // `environment` is added to that of the spec. `done` is called once on the loop's thread, unless cancel() comes
    // first. `collect` is called when the reaper has to classify deferred children again.
    PreRestart(boost::asio::io_context& io, Output& output, SharedLaunchSpec worker_spec, std::string command,
               std::vector<std::string> environment, std::function<void(Verdict)> done, std::function<void()> collect);
    // Kills the process group of the command.
    ~PreRestart();

    // Discards the result and ends the command: SIGTERM, then SIGKILL after the grace period.
    void cancel();
    bool is_finished() const { return !launch_ && !leader_; }

    // What the reaper has to do with an ended child; nullopt if the child is unknown here.
    std::optional<os::ReapDecision> classify(pid_t pid, const ExitStatus& status);

  private:
    using Launched = std::variant<os::Leader, os::LaunchFailure>;

    std::string launch(SharedLaunchSpec worker_spec, std::string command, std::vector<std::string> environment);
    void launched(Launched outcome);
    void await_output();
    enum class Open { yes, no };
    Open read_output();
    void report(std::string fault);

    boost::asio::io_context& io_;
    Output& output_;
    std::function<void(Verdict)> done_;  // empty: already called, or cancelled
    std::function<void()> collect_;
    std::optional<BlockingTask<Launched>> launch_;
    os::Leader leader_;
    Descriptor pipe_;
    LineCopier output_lines_;
    LastLines last_lines_;
    boost::asio::steady_timer grace_timer_;
};

}  // namespace holdfast::runtime
