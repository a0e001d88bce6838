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
#include "runtime/deeds.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/hearing.hpp"
#include "runtime/holdings.hpp"
#include "runtime/launch_thread.hpp"
#include "runtime/launching.hpp"
#include "runtime/listeners.hpp"
#include "runtime/log.hpp"
#include "runtime/output.hpp"
#include "runtime/pump.hpp"
#include "runtime/reaping.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Everything that runs on the one loop, wired together. Events go in at the pump, core decides, Deeds carries out.
class Loop {
  public:
    // The parts that exist before anything can be logged or listened on.
    struct Ground {
        explicit Ground(const core::Configuration& configuration);
        boost::asio::io_context io;
        Output output;
        Log log;
        Listeners listeners;
    };

    Loop(std::unique_ptr<Ground> ground, const core::Configuration& configuration, Holdings holdings,
         Plans::Reread reread);
    ~Loop();

    Ground& ground() { return *ground_; }
    [[nodiscard]] int release_api_socket() { return holdings_.api_socket.release(); }
    [[nodiscard]] std::vector<int> release_admin_sockets();

    void ask(core::Request request, std::function<void(core::Outcome)> answer);
    void reload(std::string asked_by, std::function<void(core::Outcome)> answer);
    [[nodiscard]] core::Outcome what_reload_would_do() const { return plans_.what_would_change(); }
    [[nodiscard]] core::Status snapshot() const;
    [[nodiscard]] std::string unready_because() const;
    [[nodiscard]] std::string crash_loops() const { return core_.crash_loops(); }
    [[nodiscard]] std::vector<std::string> history() const { return ledger_.lines(); }
    [[nodiscard]] std::vector<core::LastOutput> last_output() const;
    int run(std::function<void(std::function<void()>)> last);

  private:
    void deliver(const core::Event& event);
    void carry_out(const std::vector<core::Action>& actions, Instant moment);
    void set_timer();
    void await_signal();
    void take_signal(const os::ReceivedSignal& signal);
    void take_hang_up(std::string who);
    Result<core::Reload> read_again(core::Reload::Workers at_least, const std::string& asked_by);
    Preparing::Hands hands_for_preparing();
    void launched(LaunchResult result);
    void answer(RequestId id, const core::Outcome& outcome);
    void finish(int exit_code);

    core::Configuration configuration_;
    std::unique_ptr<Ground> ground_;
    Holdings holdings_;
    Ledger ledger_;
    core::Supervisor core_;
    WorkerTable workers_;
    Pump pump_;
    LaunchThread launches_;
    Hearing hearing_;
    Reaping reaping_;
    Specs specs_;
    Plans plans_;
    Preparing preparing_;
    Probing probing_;
    Claims claims_;
    Launching launching_;
    Deeds deeds_;
    boost::asio::steady_timer timer_;
    std::optional<Instant> timer_set_to_;
    Descriptor signals_;  // owns nothing
    std::map<RequestId, std::function<void(core::Outcome)>> askers_;
    RequestId last_request_;
    std::function<void(std::function<void()>)> last_;
    std::optional<int> exit_code_;
};

}  // namespace holdfast::runtime
