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

// One launch, as the world knows it. The core's own opinion is in the snapshot; the two are compared by tests.
struct FakeWorker {
    enum class Life { launching, running, main_ended, ended };

    core::Spawn spawn;
    WorkerScript script;
    Life life = Life::launching;
    Instant launched{};
    std::optional<Instant> spawned_at{};  // Spawned was delivered
    bool is_forgotten = false;
    std::optional<Instant> killed_at{};
    std::optional<Instant> hello_heard_at{};  // when the core heard it: HELLO, READY, the end of the channel
    std::optional<Instant> ready_heard_at{};
    bool has_lost_channel = false;
    bool has_said_stopping = false;
    bool has_released = false;
    bool is_probed = false;           // and has not answered yet
    bool is_claim_checked = false;    // for its claim, likewise
    int good_answers = 0;             // to probes, heard by the core
    bool has_promised_beats = false;  // the core heard a WATCHDOG=1
    bool accepts = true;              // in truth
    std::optional<Stage> told{};      // the last stage that it was told, or that a signal meant
    int stop_signals = 0;             // heard since it was last told to run
    int cancel_signals = 0;
    int group_signals = 0;
    std::uint32_t order = 1;  // counts what it was told: plans made for an older order are void

    WorkerId id() const { return spawn.worker; }
    bool is_alive() const { return life != Life::ended && !is_forgotten; }
    bool hears_stages() const { return hello_heard_at.has_value() && !has_lost_channel; }
};

// A question to the core and its answer. Id 0: a signal, nobody waits.
struct FakeRequest {
    RequestId id;
    core::Request request;
    Instant due{};
    bool was_asked = false;
    std::optional<core::Outcome> outcome{};
    Instant answered_at{};
};

enum class Asker { waits, signal };

// What the core must bear at any time. tick: the timer fires for nothing; late_word: of a worker that is forgotten;
// late_preparation: an answer that nobody waits for; stall: the supervisor itself stands still for a while.
enum class Disturbance { tick, late_word, late_preparation, stall };

// A small world for the core: a clock, a process table and workers that follow scripts. It carries out actions and
// delivers what follows from them in the written order: for one worker its messages, then its exit; then operators;
// then deadlines. Whatever the contract of actions forbids is recorded as a violation and not carried out.
class FakeWorld {
  public:
    using ScriptSource = std::function<WorkerScript(const core::Spawn&)>;
    using Lateness = std::function<Duration()>;
    using PreparationSource = std::function<PreparationScript(const core::Prepare&)>;

    // `script_source` gives each launch its script. `lateness`, where given, is how late the timer fires for a
    // deadline.
    FakeWorld(const core::Policy& policy, std::uint64_t seed, ScriptSource script_source, Lateness lateness = {});

    // How preparations go; without it they succeed at once.
    void set_preparation_source(PreparationSource source) { preparation_source_ = std::move(source); }
    void start();
    // Delivers the next event; false when it was the last one: nothing is planned and the core has no deadline.
    bool step();
    // All that happens until then; the clock stands there afterwards.
    void advance(Duration duration);
    bool run_until(const std::function<bool()>& fact, Duration within);
    // An event from outside of every script, now.
    void feed(const core::Event& event);
    // The index of the ask.
    std::size_t ask(core::Request request, Asker asker = Asker::waits, Duration after = {});

    // The same for a reload: the configuration that is read then holds these listeners.
    std::size_t ask_reload(core::Reload reload, FakeSpecs::Listeners listeners, Asker asker, Duration after);
    void disturb(Disturbance what, Duration after, Duration length = {});

    Instant now() const { return now_; }
    const core::Policy& policy() const { return policy_; }  // at the start
    std::optional<int> exit_code() const { return exit_code_; }
    std::uint64_t events() const { return events_; }
    core::Admission admission() const { return admission_; }
    Duration lateness() const;  // of all deadlines so far, one that is overdue included

    const core::Event& last_event() const { return event_; }
    const std::vector<core::Action>& last_actions() const { return actions_; }
    const core::Status& before() const { return before_; }  // the snapshot before the last event
    const core::Status& status() const { return status_; }  // and after it
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
        exited,
        heartbeat,
        watchdog_trigger,
        probe_answer,
        claim_answer,
        prepared,
        asked,
        disturbed
    };
    // Something that will happen, unless its worker is told otherwise before.
    struct Plan {
        Instant at;
        std::uint8_t rank = 0;  // 0: messages and answers, 1: exits, 2: operators
        std::uint64_t sequence = 0;
        std::size_t subject = 0;  // index of the worker, of the ask, or of whatever it is about
        std::uint32_t order = 0;  // 0: whatever it is told
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

    void plan(std::size_t subject, What what, Duration after, std::uint32_t order = 0, ExitStatus status = {});
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
    void deliver_late_word();
    void deliver_elapsed();
    void after_actions();

    // What workers do: fake_workers.cpp.
    void start_script(std::size_t index);
    void end_main(std::size_t index, const ExitStatus& status, Duration after, std::uint32_t order);
    void apply_stage(std::size_t index, const Command& command);
    void begin_leaving(std::size_t index);
    void cancel(std::size_t index);
    void run_again(std::size_t index);
    void plan_next_heartbeat(std::size_t index);
    void plan_extensions(std::size_t index, std::uint32_t order);
    void apply_signal(std::size_t index, int signal);
    void apply_group_signal(std::size_t index, int signal);
    void apply_kill(std::size_t index);

    // What the contract allows: fake_world_actions.cpp and, for specs and questions, fake_world_queries.cpp.
    void carry_out(const core::Prepare& action);
    void carry_out(const core::AbandonPreparation& action);
    void carry_out(const core::ServeWith& action);
    void carry_out(const core::AdoptPlan& action) { check_allowed(specs_.adopt(action.plan)); }
    void carry_out(const core::DropPlan& action) { check_allowed(specs_.drop(action.plan)); }
    void carry_out(const core::Probe& action);
    void carry_out(const core::CheckListenerClaim& action);
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
    void check_allowed(const FakeSpecs::Fault& fault);
    // The worker if this may be done to it at all.
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
    std::vector<Plan> plans_;  // a heap, the earliest on top
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
    std::vector<FakeSpecs::Listeners> plan_listeners_;  // of each plan, by its number
    Generation last_started_, last_recorded_;
    core::Admission admission_ = core::Admission::accept;
    int manager_ready_ = 0;
    std::optional<int> exit_code_;
    std::optional<Instant> deadline_seen_;
    Instant deadline_due_{};
    Duration lateness_spent_{};
    std::optional<Instant> woke_at_;  // after a stall: what came meanwhile is delivered before deadlines
    std::vector<std::string> violations_;
};

}  // namespace holdfast::testing
