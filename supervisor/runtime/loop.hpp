#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/configuration.hpp"
#include "core/supervisor.hpp"
#include "runtime/action_executor.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/event_queue.hpp"
#include "runtime/launch_thread.hpp"
#include "runtime/listeners.hpp"
#include "runtime/log.hpp"
#include "runtime/output.hpp"
#include "runtime/startup_resources.hpp"
#include "runtime/worker.hpp"
#include "runtime/worker_channels.hpp"
#include "runtime/worker_launcher.hpp"
#include "runtime/worker_reaper.hpp"

namespace holdfast::runtime {

// Owns and connects everything that runs on the event loop. Events enter through the event queue, the core decides, and
// the ActionExecutor executes its actions.
class Loop {
  public:
    // The parts that are created before anything is logged or bound.
    struct Foundation {
        explicit Foundation(const core::Configuration& configuration);
        boost::asio::io_context io;
        Output output;
        Log log;
        Listeners listeners;
    };

    Loop(std::unique_ptr<Foundation> foundation, const core::Configuration& configuration, StartupResources resources,
         ReloadPlans::Reread reread);
    ~Loop();

    Foundation& foundation() { return *foundation_; }
    [[nodiscard]] int release_api_socket() { return resources_.api_socket.release(); }
    [[nodiscard]] std::vector<int> release_admin_sockets();

    void ask(core::Request request, std::function<void(core::Outcome)> answer);
    void reload(std::string asked_by, std::function<void(core::Outcome)> answer);
    [[nodiscard]] core::Outcome preview_reload() const { return plans_.what_would_change(); }
    [[nodiscard]] core::Status snapshot() const;
    [[nodiscard]] std::string unready_because() const;
    [[nodiscard]] std::string crash_loops() const { return core_.crash_loops(); }
    [[nodiscard]] std::vector<std::string> history() const { return history_.lines(); }
    [[nodiscard]] std::vector<core::LastOutput> last_output() const;
    int run(std::function<void(std::function<void()>)> on_shutdown);

  private:
    void deliver(const core::Event& event);
    void execute(const std::vector<core::Action>& actions, Instant moment);
    void set_timer();
    void await_signal();
    void handle_signal(const os::ReceivedSignal& signal);
    void handle_sighup(std::string who);
    Result<core::Reload> read_again(core::Reload::Workers at_least, const std::string& asked_by);
    LaunchPreparation::Dependencies preparation_dependencies();
    void launched(LaunchResult result);
    void answer(RequestId id, const core::Outcome& outcome);
    void finish(int exit_code);

    core::Configuration configuration_;
    std::unique_ptr<Foundation> foundation_;
    StartupResources resources_;
    History history_;
    core::Supervisor core_;
    WorkerTable workers_;
    EventQueue event_queue_;
    LaunchThread launches_;
    WorkerChannels channels_;
    WorkerReaper worker_reaper_;
    LaunchSpecs specs_;
    ReloadPlans plans_;
    LaunchPreparation launch_preparation_;
    ReadinessProber readiness_prober_;
    ListenerClaimChecker listener_claim_checker_;
    WorkerLauncher worker_launcher_;
    ActionExecutor action_executor_;
    boost::asio::steady_timer timer_;
    std::optional<Instant> timer_set_to_;
    Descriptor signals_;  // borrowed descriptor
    std::map<RequestId, std::function<void(core::Outcome)>> answer_handlers_;
    RequestId last_request_;
    std::function<void(std::function<void()>)> on_shutdown_;
    std::optional<int> exit_code_;
};

}  // namespace holdfast::runtime
