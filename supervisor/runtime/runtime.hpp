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

// Hands and senses for core/: turns what the kernel tells into events, actions into system calls. Decides nothing.
// One thread; two others only write output and launch processes.
class Runtime {
  public:
    // Takes hold of the name, the sockets and the signals. Signals were prepared already (os/signals.hpp), which
    // gave `sighup`; nothing has been launched. The error's `code` is what `holdfast run` shall exit with.
    // `reread` reads the configuration again, for a reload; it is called on the loop's thread.
    using Reread = std::function<Result<core::Configuration>()>;
    static Result<std::unique_ptr<Runtime>> open(const core::Configuration& configuration, os::SighupDisposition sighup,
                                                 Reread reread);
    ~Runtime();

    // The listening socket of the API, once; -1 where there is no runtime directory.
    [[nodiscard]] int release_api_socket();
    // Those of --admin, once.
    [[nodiscard]] std::vector<int> release_admin_sockets();

    boost::asio::any_io_executor executor();
    void ask(core::Request request, std::function<void(core::Outcome)> answer);
    [[nodiscard]] core::Status snapshot() const;
    // Why the service is not ready, in a sentence; empty while it is.
    [[nodiscard]] std::string unready_because() const;
    // Which slots crash over and over, though enough others may serve; empty: none.
    [[nodiscard]] std::string crash_loops() const;

    // Reads the configuration again and has core carry out what it changes.
    void reload(std::string asked_by, std::function<void(core::Outcome)> answer);
    // What that would change, or why it cannot be done; nothing is touched.
    [[nodiscard]] core::Outcome preview_reload() const;

    // The history's lines, JSON objects, oldest first.
    [[nodiscard]] std::vector<std::string> history() const;
    // Of every living worker, and of the last one that ended in each slot.
    [[nodiscard]] std::vector<core::LastOutput> last_output() const;
    // `on_event` is called with each event, a JSON object, as the log has it at its lowest level; until the handle
    // ends.
    [[nodiscard]] std::shared_ptr<void> follow_events(std::function<void(std::string_view)> on_event);

    // Launches the first generation and serves until the core says that everything is over. `on_shutdown` is called
    // then with what to call when the answers have reached their askers; run() returns the exit status after that.
    int run(std::function<void(std::function<void()>)> on_shutdown);

  private:
    explicit Runtime(std::unique_ptr<Loop> loop);
    std::unique_ptr<Loop> loop_;
};

}  // namespace holdfast::runtime
