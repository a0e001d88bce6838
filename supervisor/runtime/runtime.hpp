#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/configuration.hpp"
#include "core/request.hpp"
#include "core/status.hpp"
#include "os/signals.hpp"

namespace holdfast::runtime {

class Loop;

// Performs I/O for core/: converts what the kernel reports into events, and actions into system calls. Makes no
// decisions. Runs on one thread; two more threads only write output and launch processes.
class Runtime {
  public:
    // Acquires the name, the sockets and the signals. The signals must already be prepared (os/signals.hpp), which
    // returned `sighup`. Nothing is launched. The `code` of an error is the exit status of `holdfast run`. `reread`
    // reads the configuration again for a reload; it is called on the loop's thread.
    using Reread = std::function<Result<core::Configuration>()>;
    static Result<std::unique_ptr<Runtime>> open(const core::Configuration& configuration, os::SighupDisposition sighup,
                                                 Reread reread);
    ~Runtime();

    // Releases the listening socket of the API, once; -1 without a runtime directory.
    [[nodiscard]] int release_api_socket();
    // Releases the sockets of --admin, once.
    [[nodiscard]] std::vector<int> release_admin_sockets();

    boost::asio::any_io_executor executor();
    void ask(core::Request request, std::function<void(core::Outcome)> answer);
    [[nodiscard]] core::Status snapshot() const;
    // Why the service is not ready, as a sentence; empty if it is ready.
    [[nodiscard]] std::string unready_because() const;
    // Which slots crash repeatedly, even if enough other workers serve; empty: none.
    [[nodiscard]] std::string crash_loops() const;

    // Reads the configuration again and lets the core apply the changes.
    void reload(std::string asked_by, std::function<void(core::Outcome)> answer);
    // What a reload would change, or why it is impossible; changes nothing.
    [[nodiscard]] core::Outcome preview_reload() const;

    // The lines of the history, JSON objects, oldest first.
    [[nodiscard]] std::vector<std::string> history() const;
    // The last output of every live worker, and of the last worker that ended in each slot.
    [[nodiscard]] std::vector<core::LastOutput> last_output() const;
    // Calls `on_event` with each log event, at all levels, as a JSON object, until the returned handle is destroyed.
    [[nodiscard]] std::shared_ptr<void> follow_events(std::function<void(std::string_view)> on_event);

    // Launches the first generation and serves until the core ends the service. Then calls `on_shutdown` with a
    // function that must be called once all answers were sent; run() returns the exit status after that.
    int run(std::function<void(std::function<void()>)> on_shutdown);

  private:
    explicit Runtime(std::unique_ptr<Loop> loop);
    std::unique_ptr<Loop> loop_;
};

}  // namespace holdfast::runtime
