#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/supervisor.hpp"

namespace holdfast::core::testing {

inline constexpr StageSet every_stage{0b11111};

// Drives a core::Supervisor in a test, in place of the runtime. The test feeds the events, time advances only by
// advance() and stall(), and every action is recorded with its time.
class CoreHarness {
  public:
    struct TimedAction {
        Instant at;
        Action action;
    };

    explicit CoreHarness(const Policy& policy) : core_(policy, 1) { keep(core_.start(now_)); }

    // The automatic answers to CheckListenerClaim and Prepare; nullopt: the test answers itself.
    std::optional<ListenerClaim> listener_claim = ListenerClaim::held;
    std::optional<std::string> preparation_fault = std::string{};

    // Events.
    void feed(const Event& event) { keep(core_.step(event, now_)); }
    void spawned(WorkerId worker) { feed(Spawned{worker, 100 + static_cast<int>(worker.value)}); }
    void hello(WorkerId worker, StageSet stages = every_stage) {
        Report report;
        report.hello = true;
        report.stages = stages;
        feed(Said{worker, report});
    }
    void ready(WorkerId worker) {
        Report report;
        report.ready = true;
        feed(Said{worker, report});
    }
    void accepting(WorkerId worker, bool is_accepting) {
        Report report;
        report.accepting = is_accepting;
        feed(Said{worker, report});
    }
    void stopping(WorkerId worker) {
        Report report;
        report.stopping = true;
        feed(Said{worker, report});
    }
    void report_watchdog(WorkerId worker, Watchdog health) {
        Report report;
        report.watchdog = health;
        feed(Said{worker, report});
    }
    void probed(WorkerId worker, ProbeAnswered::Answer answer, const std::string& text = {}) {
        feed(ProbeAnswered{worker, answer, text});
    }
    void exited(WorkerId worker, int code = 0) { feed(Exited{worker, ExitedWith{code}, {"last line"}}); }
    // Takes a worker from its launch until it is ready: with HELLO=1 and READY=1, or with READY=1 only.
    void serve(WorkerId worker) {
        spawned(worker);
        hello(worker);
        ready(worker);
    }
    void serve_without_hello(WorkerId worker) {
        spawned(worker);
        ready(worker);
    }
    // Calls serve() for all workers without a Spawned event.
    void serve_all() {
        for (const WorkerStatus& worker : status().workers) {
            if (worker.state == WorkerState::starting && worker.pid == 0) serve(worker.id);
        }
    }
    void exit_all_leaving() {
        for (const WorkerStatus& worker : status().workers) {
            if (worker.state == WorkerState::draining || worker.state == WorkerState::cancelling) exited(worker.id);
        }
    }

    // Requests. Returns the id for answer() and result().
    template <class What>
    RequestId ask(What what) {
        const RequestId id{++last_request_};
        feed(Asked{id, Request{what, "uid 0"}});
        return id;
    }
    template <class What>
    void signal(What what) {
        feed(Asked{RequestId{0}, Request{what, "SIGTERM"}});
    }

    // Advances the time and feeds Elapsed at each deadline.
    void advance(Duration duration) {
        const Instant end = now_ + duration;
        while (const auto next = core_.next_deadline()) {
            if (*next > end) break;
            now_ = std::max(now_, *next);
            feed(Elapsed{});
        }
        now_ = end;
    }
    // Advances the time without calling the core, as if the supervisor or the machine were stopped.
    void stall(Duration duration) { now_ += duration; }
    Instant now() const { return now_; }
    std::optional<Instant> next_deadline() const { return core_.next_deadline(); }

    // Results.
    Status status() const { return core_.snapshot(now_); }
    Phase phase() const { return status().phase; }
    // The last worker launched in this generation and slot. Not affected by clear_actions().
    WorkerId worker(std::uint64_t generation, std::uint64_t slot) const {
        WorkerId found;
        for (const Spawn& spawn : launched_) {
            if (spawn.generation.value == generation && spawn.slot.value == slot) found = spawn.worker;
        }
        return found;
    }
    // The last worker launched in this slot, in any generation.
    WorkerId last_launched(std::uint64_t slot) const {
        WorkerId found;
        for (const Spawn& spawn : launched_) {
            if (spawn.slot.value == slot) found = spawn.worker;
        }
        return found;
    }
    // The oldest existing worker in this slot.
    WorkerId worker_of(std::uint64_t slot) const {
        for (const WorkerStatus& worker : status().workers) {
            if (worker.slot.value == slot) return worker.id;
        }
        return {};
    }
    // The index of the first action of type T.
    template <class T>
    std::size_t index_of() const {
        const auto found = std::ranges::find_if(
            actions_, [](const TimedAction& timed) { return std::holds_alternative<T>(timed.action); });
        return static_cast<std::size_t>(found - actions_.begin());
    }
    std::optional<WorkerState> state(WorkerId id) const {
        for (const WorkerStatus& worker : status().workers) {
            if (worker.id == id) return worker.state;
        }
        return std::nullopt;
    }
    int count(WorkerState state) const {
        const Status seen = status();
        return static_cast<int>(std::count_if(seen.workers.begin(), seen.workers.end(),
                                              [&](const WorkerStatus& worker) { return worker.state == state; }));
    }
    const std::vector<TimedAction>& actions() const { return actions_; }
    void clear_actions() { actions_.clear(); }
    template <class T>
    std::vector<T> all() const {
        std::vector<T> found;
        for (const TimedAction& timed : actions_) {
            if (const auto* action = std::get_if<T>(&timed.action)) found.push_back(*action);
        }
        return found;
    }
    template <class T>
    std::optional<Instant> first_at() const {
        for (const TimedAction& timed : actions_) {
            if (std::holds_alternative<T>(timed.action)) return timed.at;
        }
        return std::nullopt;
    }
    // The stages sent to a worker, in order.
    std::vector<Stage> stages_sent(WorkerId worker) const {
        std::vector<Stage> stages;
        for (const Tell& tell : all<Tell>()) {
            if (tell.worker == worker) stages.push_back(tell.command.stage);
        }
        return stages;
    }
    std::vector<int> signals(WorkerId worker, Target target = Target::main) const {
        std::vector<int> numbers;
        for (const Signal& signal : all<Signal>()) {
            if (signal.worker == worker && signal.target == target) numbers.push_back(signal.signal);
        }
        return numbers;
    }
    std::optional<Outcome> answer(RequestId id) const {
        for (const Answer& answer : all<Answer>()) {
            if (answer.request == id) return answer.outcome;
        }
        return std::nullopt;
    }
    std::optional<Outcome::Result> result(RequestId id) const {
        const auto outcome = answer(id);
        if (!outcome) return std::nullopt;
        return outcome->result;
    }
    std::optional<int> exit_code() const {
        const auto finishes = all<Finish>();
        if (finishes.empty()) return std::nullopt;
        return finishes.back().exit_code;
    }
    // The texts of all log entries of one event.
    std::vector<std::string> notes(std::string_view event) const {
        std::vector<std::string> texts;
        for (const Note& note : all<Note>()) {
            if (note.event == event) texts.push_back(note.text);
        }
        return texts;
    }

  private:
    void keep(std::vector<Action> actions) {
        const std::size_t first = actions_.size();
        for (Action& action : actions) actions_.push_back({now_, std::move(action)});
        std::vector<Event> answers;
        for (std::size_t i = first; i < actions_.size(); ++i) {
            if (const auto* spawn = std::get_if<Spawn>(&actions_[i].action)) launched_.push_back(*spawn);
            if (const auto* check = std::get_if<CheckListenerClaim>(&actions_[i].action); check && listener_claim) {
                answers.push_back(ListenerClaimed{check->worker, *listener_claim, "no process has :8080 open"});
            }
            if (const auto* prepare = std::get_if<Prepare>(&actions_[i].action); prepare && preparation_fault) {
                answers.push_back(Prepared{prepare->spec, *preparation_fault, {}});
            }
        }
        for (const Event& answer : answers) feed(answer);
    }

    Supervisor core_;
    Instant now_ = from_usec(1'000'000'000);
    std::vector<TimedAction> actions_;
    std::vector<Spawn> launched_;
    std::uint64_t last_request_ = 0;
};

// Returns a service whose `workers` are ready and settled, with the recorded actions cleared.
inline CoreHarness serving(Policy policy, int workers) {
    policy.workers = workers;
    CoreHarness harness(policy);
    harness.serve_all();
    harness.advance(policy.settle);
    harness.clear_actions();
    return harness;
}

}  // namespace holdfast::core::testing
