#include "tests/simulator/service_run.hpp"

#include <algorithm>
#include <memory>
#include <ostream>

#include "tests/simulator/bounds.hpp"
#include "tests/simulator/describe.hpp"
#include "tests/simulator/status_queries.hpp"

namespace holdfast::simulator {

using namespace std::chrono_literals;
using core::Phase;
using core::WorkerState;
using testing::Asker;

namespace {

// A scripted worker does nothing by itself after this time.
constexpr Duration longest_script = 60s;
constexpr const char* over_the_api = "uid 1000, pid 3101 over the API";

// Whether all workers can become ready: a silent worker never does if READY=1 is required.
bool can_recover(ProtocolMix protocol_mix, const core::Policy& policy) {
    if (protocol_mix == ProtocolMix::protocol || protocol_mix == ProtocolMix::notify) return true;
    if (std::holds_alternative<core::ReadyAlive>(policy.ready_when)) return true;
    if (std::holds_alternative<core::ReadyProbe>(policy.ready_when)) return true;
    return protocol_mix == ProtocolMix::silent && std::holds_alternative<core::ReadyAuto>(policy.ready_when);
}

core::Request request_of(const Incident& incident) {
    using What = Incident::What;
    switch (incident.what) {
        case What::stop:
            return {core::Stop{}, over_the_api};
        case What::quit:
            return {core::Stop{core::LameDuck::skipped}, "SIGQUIT"};
        case What::scale:
            return {core::Scale{incident.number}, over_the_api};
        case What::scale_by:
            return {core::ScaleBy{incident.number}, "SIGTTIN"};
        case What::pause:
            return {core::Pause{}, over_the_api};
        case What::resume:
            return {core::Resume{}, over_the_api};
        case What::rollback:
            return {core::Rollback{}, over_the_api};
        case What::undo:
            return {core::Undo{}, over_the_api};
        default:
            return {core::Restart{}, over_the_api};
    }
}

// Replays a story exactly.
class StoryDirector : public Director {
  public:
    explicit StoryDirector(const Story& story) : story_(story) {}
    testing::WorkerScript script_of(const core::Spawn& spawn) override {
        const auto found = story_.scripts.find(spawn.worker.value);
        return found == story_.scripts.end() ? default_script(story_.policy) : found->second;
    }
    testing::PreparationScript preparation_of(const core::Prepare&) override {
        const auto found = story_.preparations.find(++preparations_);
        return found == story_.preparations.end() ? testing::PreparationScript{} : found->second;
    }
    Duration lateness() override {
        const auto found = story_.lateness.find(++deadlines_);
        return found == story_.lateness.end() ? Duration{} : found->second;
    }
    std::optional<Incident> next(const testing::FakeWorld&) override {
        if (next_ == story_.incidents.size()) return std::nullopt;
        return story_.incidents[next_++];
    }
    bool goes_on(const testing::FakeWorld& world) override {
        return next_ < story_.incidents.size() || world.now().time_since_epoch() < story_.roams_until;
    }
    void end_faults() override {}

  private:
    const Story& story_;
    std::size_t next_ = 0;
    std::uint64_t preparations_ = 0, deadlines_ = 0;
};

}  // namespace

ServiceRun::ServiceRun(const core::Policy& policy, std::uint64_t seed, ProtocolMix protocol_mix, Director& director,
                       Observers observers)
    : policy_(policy),
      protocol_mix_(protocol_mix),
      director_(director),
      observers_(observers),
      world_(
          policy, seed,
          [this](const core::Spawn& spawn) {
              const auto script = director_.script_of(spawn);
              if (observers_.out != nullptr)
                  *observers_.out << "      script of #" << spawn.worker.value << ":" << to_text(script) << '\n';
              return script;
          },
          [this] { return director_.lateness(); }),
      invariants_(world_, observers.longest != nullptr ? *observers.longest : unused_longest_) {
    world_.set_preparation_source([this](const core::Prepare& prepare) { return director_.preparation_of(prepare); });
}

std::vector<std::string> ServiceRun::run() {
    if (const auto fault = core::find_fault(policy_)) world_.violated("the policy: " + *fault);
    if (observers_.out != nullptr) *observers_.out << "policy: " << describe(policy_) << '\n';
    world_.start();
    invariants_.after_start();
    if (observers_.coverage != nullptr) observers_.coverage->count(world_);
    if (observers_.out != nullptr) print_step();
    run_incidents();
    roamed_until_ = world_.now().time_since_epoch();
    director_.end_faults();
    recover();
    stop_service();
    if (observers_.coverage != nullptr) observers_.coverage->count_triggers(world_.transition_counts());
    return world_.violations();
}

void ServiceRun::plan(const Incident& incident) {
    using What = Incident::What;
    const Duration after = std::max(incident.at - world_.now().time_since_epoch(), Duration{});
    switch (incident.what) {
        case What::tick:
            return world_.disturb(testing::Disturbance::tick, after);
        case What::late_word:
            return world_.disturb(testing::Disturbance::late_word, after);
        case What::late_preparation:
            return world_.disturb(testing::Disturbance::late_preparation, after);
        case What::stall:
            return world_.disturb(testing::Disturbance::stall, after, incident.length);
        case What::reload: {
            core::Reload reload{
                {}, std::make_shared<core::Policy>(incident.policy), incident.workers, "settle 1 s → 2 s"};
            const auto listeners = static_cast<testing::FakeSpecs::Listeners>(incident.listeners);
            world_.ask_reload(std::move(reload), listeners, incident.asker, after);
            return;
        }
        default:
            world_.ask(request_of(incident), incident.asker, after);
    }
}

void ServiceRun::run_incidents() {
    while (!is_over() && director_.goes_on(world_)) {
        while (const auto incident = director_.next(world_)) plan(*incident);
        if (!step()) return;
    }
}

// Without further incidents, and with well-behaved new workers, a service must have all its workers again.
void ServiceRun::recover() {
    if (is_over()) return;
    while (world_.open_requests() + world_.future_requests() > 0 && !is_over() && step()) {
    }
    if (is_over() || world_.status().phase == Phase::stopping) return;
    const Duration bound = invariants_.recovery_bound() + longest_script;
    const Instant end = world_.now() + bound + world_.lateness();
    if (!can_recover(protocol_mix_, policy_)) return;
    const auto is_recovered = [&] { return all_serve(world_.status()); };
    while (!is_recovered() && world_.now() < end && step()) {
    }
    const bool is_stopping = world_.status().phase == Phase::stopping;
    if (!is_over() && !is_stopping && !is_recovered()) world_.violated("invariant 7: the service did not recover");
}

void ServiceRun::stop_service() {
    if (is_over()) return;
    world_.ask({core::Stop{}, "SIGTERM"}, Asker::waits, 1us);
    while (step()) {
    }
    if (!is_over()) world_.violated("invariant 7: it waits for ever without finishing");
}

bool ServiceRun::step() {
    if (is_over() || !world_.step()) return false;
    observe();
    return !is_over();
}

void ServiceRun::observe() {
    if (observers_.out != nullptr) print_step();
    invariants_.after_event();
    if (observers_.coverage != nullptr) observers_.coverage->count(world_);
}

void ServiceRun::print_step() const {
    std::ostream& out = *observers_.out;
    out << seconds(world_.now()) << ' ' << describe(world_.last_event()) << '\n';
    for (const auto& action : world_.last_actions()) out << "      " << describe(action) << '\n';
    out << "      = " << describe(world_.status()) << '\n';
}

testing::WorkerScript default_script(const core::Policy& policy) {
    testing::WorkerScript script;
    script.heartbeat_every = policy.watchdog / 2;
    return script;
}

std::vector<std::string> replay(const Story& story, std::ostream* out) { return replay_story(story, out).violations; }

ReplayResult replay_story(const Story& story, std::ostream* out) {
    StoryDirector story_director(story);
    ServiceRun service_run(story.policy, story.seed, story.protocol_mix, story_director, {nullptr, nullptr, out});
    ReplayResult replayed{service_run.run(), {}};
    replayed.end = service_run.now();
    return replayed;
}

ReplayResult replay_quietly(const Story& story) { return replay_story(story, nullptr); }

}  // namespace holdfast::simulator
