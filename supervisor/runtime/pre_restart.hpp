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
#include "runtime/output.hpp"

namespace holdfast::runtime {

// The command of --pre-restart, run by /bin/sh in the environment of the workers to be, without their listeners.
//
// An os::Leader owns the process. Boost.Process v2's basic_process would reap it by itself, beside the one reaper of
// this process, and would kill with the process object; and it reaches the process alone, not its group.
class PreRestart {
  public:
    struct Verdict {
        std::string fault;  // a sentence; empty: it may go on
        std::vector<std::string> last_words;
    };
    // How long it may go on after SIGTERM.
    static constexpr Duration grace_period = std::chrono::seconds{5};

    // `environment` beside that of the spec. `done` is called once, on the loop, unless it is given up first; `collect`
    // when the reaper shall ask again about those that it was to classify later.
    PreRestart(boost::asio::io_context& io, Output& output, SharedLaunchSpec worker_spec, std::string command,
               std::vector<std::string> environment, std::function<void(Verdict)> done, std::function<void()> collect);
    // Nothing of it is left.
    ~PreRestart();

    // Nobody wants to know any more: it is told to end, and made to.
    void give_up();
    bool is_finished() const { return !launch_ && !leader_; }

    // What the reaper shall do with an ended child: nothing where it is not known.
    std::optional<os::ReapDecision> classify(pid_t pid, const ExitStatus& status);

  private:
    using Launched = std::variant<os::Leader, os::LaunchFailure>;

    std::string launch(SharedLaunchSpec worker_spec, std::string command, std::vector<std::string> environment);
    void launched(Launched outcome);
    void await_output();
    enum class Open { yes, no };
    Open read_output();
    void copy_lines();
    void report(std::string fault);

    boost::asio::io_context& io_;
    Output& output_;
    std::function<void(Verdict)> done_;  // empty: told, or given up
    std::function<void()> collect_;
    std::optional<BlockingTask<Launched>> launch_;
    os::Leader leader_;
    Descriptor pipe_;
    std::string unfinished_line_;
    LastLines last_lines_;
    boost::asio::steady_timer grace_timer_;
};

}  // namespace holdfast::runtime
