#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

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
    // gave `hang_up`; nothing has been launched. The error's `code` is what `holdfast run` shall exit with.
    static Result<std::unique_ptr<Runtime>> open(const core::Configuration& configuration, os::HangUp hang_up);
    ~Runtime();

    // The listening socket of the API, once; -1 where there is no runtime directory.
    [[nodiscard]] int release_api_socket();

    boost::asio::any_io_executor executor();
    void ask(core::Request request, std::function<void(core::Outcome)> answer);
    [[nodiscard]] core::Status snapshot() const;

    // Launches the first generation and serves until the core says that everything is over. `last` is called then with
    // what to call when the answers have reached their askers; run() returns the exit status after that.
    int run(std::function<void(std::function<void()>)> last);

  private:
    explicit Runtime(std::unique_ptr<Loop> loop);
    std::unique_ptr<Loop> loop_;
};

}  // namespace holdfast::runtime
