#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/supervisor.hpp"
#include "tests/support/fake_specs.hpp"
#include "tests/support/worker_script.hpp"

namespace holdfast::testing {

// The actual state of one launched worker. Tests compare it with the state that the core reports in its snapshot.
struct FakeWorker {
    enum class Life { launching, running, main_ended, ended };

    core::Spawn spawn;
    WorkerScript script;
    Life life = Life::launching;
    Instant launched{};
    std::optional<Instant> spawned_at{};  // when Spawned was delivered
    bool is_forgotten = false;
    std::optional<Instant> killed_at{};
    std::optional<Instant> hello_at{};  // when HELLO=1 was delivered to the core
    std::optional<Instant> ready_at{};  // when READY=1 was delivered to the core
    bool has_lost_channel = false;      // ChannelLost was delivered to the core
    bool has_said_stopping = false;
    bool has_released = false;
    bool is_probed = false;             // the answer to a Probe is outstanding
    bool is_claim_checked = false;      // the answer to a CheckListenerClaim is outstanding
    int good_answers = 0;               // number of successful probes delivered to the core
    bool has_sent_heartbeat = false;    // a WATCHDOG=1 was delivered to the core
    bool accepts = true;                // whether it really accepts
    std::optional<Stage> last_stage{};  // the last stage it received, by message or signal
    int stop_signals = 0;               // number received since the last stage run
    int cancel_signals = 0;
    int group_signals = 0;
    std::uint32_t epoch = 1;  // incremented by each stage and signal; plans of an older epoch are void

    WorkerId id() const { return spawn.worker; }
    bool is_alive() const { return life != Life::ended && !is_forgotten; }
    bool receives_stages() const { return hello_at.has_value() && !has_lost_channel; }
};

// A request to the core and its answer. Id 0: a signal, which gets no answer.
struct FakeRequest {
    RequestId id;
    core::Request request;
    Instant due{};
    bool was_asked = false;
    std::optional<core::Outcome> outcome{};
    Instant answered_at{};
};

enum class Asker { waits, signal };

// Events that the core must tolerate at any time. tick: the timer fires without a deadline; late_word: a message of a
// forgotten worker; late_preparation: a Prepared event for an unknown spec; stall: the supervisor does not run for a
// while.
enum class Disturbance { tick, late_word, late_preparation, stall };

// A simulated environment for the core: a clock, a process table and workers that follow scripts. It executes the
// actions and delivers the resulting events in the order of core/event.hpp: for each worker its messages, then its
// exit; then requests; then deadlines. An action that violates the contract in core/action.hpp is recorded as a
// violation.
class FakeWorld {
  public:
    using ScriptSource = std::function<WorkerScript(const core::Spawn&)>;
    using Lateness = std::function<Duration()>;
    using PreparationSource = std::function<PreparationScript(const core::Prepare&)>;

    // `script_source` returns the script of each launch. `lateness`, if set, returns the delay of the timer for each
    // deadline.
    FakeWorld(const core::Policy& policy, std::uint64_t seed, ScriptSource script_source, Lateness lateness = {});

    // Sets the source of the preparation scripts. By default preparations succeed at once.
    void set_preparation_source(PreparationSource source) { preparation_source_ = std::move(source); }
    void start();
    // Delivers the next event. Returns false if there is none: nothing is planned and the core has no deadline.
    bool step();
    // Delivers all events of the next `duration` and sets the clock to its end.
    void advance(Duration duration);
    // Delivers events until `fact` is true; returns false if it is not true `within` this time.
    bool run_until(const std::function<bool()>& fact, Duration within);
    // Delivers an event now, independent of the scripts.
    void feed(const core::Event& event);
    // Plans a request. Returns its index in requests().
    std::size_t ask(core::Request request, Asker asker = Asker::waits, Duration after = {});
    // The same for a reload whose configuration has these listeners.
    std::size_t ask_reload(core::Reload reload, FakeSpecs::Listeners listeners, Asker asker, Duration after);
    void disturb(Disturbance what, Duration after, Duration length = {});

    Instant now() const { return now_; }
    const core::Policy& policy() const { return policy_; }  // the initial policy
    std::optional<int> exit_code() const { return exit_code_; }
    std::uint64_t events() const { return events_; }
    core::Admission admission() const { return admission_; }
    Duration lateness() const;  // sum over all deadlines so far, including an overdue one

    const core::Event& last_event() const { return event_; }
    const std::vector<core::Action>& last_actions() const { return actions_; }
    const core::Status& before() const { return before_; }  // the snapshot before the last event
    const core::Status& status() const { return status_; }  // the snapshot after the last event
    const std::vector<FakeWorker>& workers() const { return workers_; }
    const FakeWorker* find(WorkerId id) const;
    const core::TransitionCounts& transition_counts() const { return supervisor_.transition_counts(); }
    const std::vector<FakeRequest>& requests() const { return requests_; }
    std::size_t open_requests() const { return open_requests_; }
    std::size_t future_requests() const { return future_requests_; }
    const FakeSpecs& specs() const { return specs_; }
    const std::vector<std::string>& violations() const { return violations_; }
    void violated(std::string what);

  private:
    enum class What : std::uint8_t {
        spawned,
        spawn_failed,
        hello,
        ready,
        stopping,
        extend,
        not_accepting,
        accepting,
        releasing,
        report,
        drained,
        channel_lost,
        main_exited,
        looked_again,
        exited,
        heartbeat,
        watchdog_trigger,
        probe_answer,
        claim_answer,
        prepared,
        asked,
        disturbed
    };
    // A future event. It is void if the epoch of its worker changes before.
    struct Plan {
        Instant at;
        std::uint8_t rank = 0;  // 0: messages and answers, 1: exits, 2: requests
        std::uint64_t sequence = 0;
        std::size_t subject = 0;  // index of the worker, the request, the disturbance or the preparation
        std::uint32_t epoch = 0;  // 0: valid in any epoch
        What what{};
        ExitStatus status{};
    };
    struct Disturbed {
        Disturbance what{};
        Duration length{};
    };
    struct Preparation {
        LaunchSpecId spec;
        PreparationScript script;
        enum class State { awaited, over } state = State::awaited;
    };
    static bool later(const Plan& one, const Plan& other);

    void plan(std::size_t subject, What what, Duration after, std::uint32_t epoch = 0, ExitStatus status = {});
    bool is_void(const Plan& plan) const;
    void drop_void_plans();
    std::optional<Instant> deadline_due();
    void deliver(const Plan& plan);
    void deliver_message(const Plan& plan, FakeWorker& worker);
    void deliver_exit(const Plan& plan, FakeWorker& worker);
    void deliver_request(FakeRequest& ask);
    void deliver_disturbance(const Disturbed& disturbed);
    void deliver_prepared(Preparation& preparation);
    void deliver_probe_answer(FakeWorker& worker);
    void deliver_late_message();
    void deliver_elapsed();
    void after_actions();

    // Behaviour of the workers: fake_workers.cpp.
    void start_script(std::size_t index);
    void end_main(std::size_t index, const ExitStatus& status, Duration after, std::uint32_t epoch);
    void apply_stage(std::size_t index, const Command& command);
    void begin_leaving(std::size_t index);
    void cancel(std::size_t index);
    void run_again(std::size_t index);
    void plan_next_heartbeat(std::size_t index);
    void plan_extensions(std::size_t index, std::uint32_t epoch);
    void apply_signal(std::size_t index, int signal);
    void apply_group_signal(std::size_t index, int signal);
    void apply_kill(std::size_t index);

    // Actions, checked against the contract: fake_world_actions.cpp; for specs, plans, probes and claims:
    // fake_world_queries.cpp.
    void carry_out(const core::Prepare& action);
    void carry_out(const core::AbandonPreparation& action);
    void carry_out(const core::ServeWith& action);
    void carry_out(const core::AdoptPlan& action) { check_allowed(specs_.adopt(action.plan)); }
    void carry_out(const core::DropPlan& action) { check_allowed(specs_.drop(action.plan)); }
    void carry_out(const core::Probe& action);
    void carry_out(const core::CheckListenerClaim& action);
    void carry_out(const core::CheckBacklogs&) {}
    void carry_out(const core::Record& action);
    void carry_out(const core::Spawn& action);
    void carry_out(const core::Tell& action);
    void carry_out(const core::Signal& action);
    void carry_out(const core::Kill& action);
    void carry_out(const core::Forget& action);
    void carry_out(const core::ForgetSpec& action);
    void carry_out(const core::SetAdmission& action);
    void carry_out(const core::SetRemovedListenerAdmission& action);
    void carry_out(const core::Answer& action);
    void carry_out(const core::Note&) {}
    void carry_out(const core::ManagerReady&);
    void carry_out(const core::ManagerStopping&);
    void carry_out(const core::ManagerExtend&) {}
    void carry_out(const core::ManagerStatus&) {}
    void carry_out(const core::Finish& action);
    void carry_out_all();
    void check_command(const core::Tell& action, const FakeWorker& worker);
    void check_nothing_left();
    // The Forget of a step follows the actions that close listeners.
    bool is_forgotten_in_this_step(WorkerId id) const;
    void check_allowed(const FakeSpecs::Fault& fault);
    // Returns the index of the worker; nullopt, with a violation, if it is unknown or forgotten.
    std::optional<std::size_t> subject_of(WorkerId id, const char* what);

    core::Policy policy_;
    ScriptSource script_source_;
    Lateness late_;
    core::Supervisor supervisor_;
    Instant now_ = from_usec(1'000'000);
    core::Event event_ = core::Elapsed{};
    std::vector<core::Action> actions_;
    core::Status before_, status_;
    std::vector<FakeWorker> workers_;
    std::vector<Plan> plans_;  // a heap with the earliest plan on top
    std::uint64_t sequence_ = 0;
    std::uint64_t events_ = 0;
    std::vector<FakeRequest> requests_;
    std::uint64_t last_request_ = 0;
    std::size_t open_requests_ = 0;
    std::size_t future_requests_ = 0;
    std::vector<Disturbed> disturbances_;
    PreparationSource preparation_source_;
    std::vector<Preparation> preparations_;
    FakeSpecs specs_;
    std::uint64_t last_plan_ = 0;
    std::vector<FakeSpecs::Listeners> plan_listeners_;  // indexed by PlanId
    Generation last_started_, last_recorded_;
    core::Admission admission_ = core::Admission::accept;
    int manager_ready_ = 0;
    std::optional<int> exit_code_;
    std::optional<Instant> deadline_seen_;
    Instant deadline_due_{};
    Duration lateness_spent_{};
    std::optional<Instant> woke_at_;  // end of the last stall: earlier events are delivered before deadlines
    std::vector<std::string> violations_;
};

}  // namespace holdfast::testing
