#include "tests/simulator/life.hpp"

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

// The longest time after which a scripted worker still does something by itself.
constexpr Duration longest_script = 60s;
constexpr const char* over_the_api = "uid 1000, pid 3101 over the API";

// A silent worker of a service that must speak never gets ready, however well it behaves.
bool can_recover(Company company, const core::Policy& policy) {
    if (company == Company::protocol || company == Company::notify) return true;
    if (std::holds_alternative<core::ReadyAlive>(policy.ready_when)) return true;
    if (std::holds_alternative<core::ReadyProbe>(policy.ready_when)) return true;
    return company == Company::silent && std::holds_alternative<core::ReadyAuto>(policy.ready_when);
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

// Follows a story to the letter.
class Narrator : public Director {
  public:
    explicit Narrator(const Story& story) : story_(story) {}
    testing::WorkerScript script_of(const core::Spawn& spawn) override {
        const auto found = story_.scripts.find(spawn.worker.value);
        return found == story_.scripts.end() ? usual_script(story_.policy) : found->second;
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
    void leave_alone() override {}

  private:
    const Story& story_;
    std::size_t next_ = 0;
    std::uint64_t preparations_ = 0, deadlines_ = 0;
};

}  // namespace

Life::Life(const core::Policy& policy, std::uint64_t seed, Company company, Director& director, Onlookers onlookers)
    : policy_(policy),
      company_(company),
      director_(director),
      onlookers_(onlookers),
      world_(
          policy, seed,
          [this](const core::Spawn& spawn) {
              const auto script = director_.script_of(spawn);
              if (onlookers_.out != nullptr)
                  *onlookers_.out << "      script of #" << spawn.worker.value << ":" << to_text(script) << '\n';
              return script;
          },
          [this] { return director_.lateness(); }),
      watch_(world_, onlookers.longest != nullptr ? *onlookers.longest : unwanted_) {
    world_.prepare_as([this](const core::Prepare& prepare) { return director_.preparation_of(prepare); });
}

std::vector<std::string> Life::live() {
    if (const auto fault = core::find_fault(policy_)) world_.violated("the policy: " + *fault);
    if (onlookers_.out != nullptr) *onlookers_.out << "policy: " << describe(policy_) << '\n';
    world_.start();
    watch_.after_start();
    if (onlookers_.visits != nullptr) onlookers_.visits->count(world_);
    if (onlookers_.out != nullptr) tell();
    roam();
    roamed_until_ = world_.now().time_since_epoch();
    director_.leave_alone();
    recover();
    wind_down();
    if (onlookers_.visits != nullptr) onlookers_.visits->count_triggers(world_.visits());
    return world_.violations();
}

void Life::plan(const Incident& incident) {
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
                {}, std::make_shared<core::Policy>(incident.rules), incident.workers, "settle 1 s → 2 s"};
            const auto listeners = static_cast<testing::FakeSpecs::Listeners>(incident.listeners);
            world_.ask_reload(std::move(reload), listeners, incident.asker, after);
            return;
        }
        default:
            world_.ask(request_of(incident), incident.asker, after);
    }
}

void Life::roam() {
    while (!is_over() && director_.goes_on(world_)) {
        while (const auto incident = director_.next(world_)) plan(*incident);
        if (!step()) return;
    }
}

// Left alone, and with new workers that behave, a service has all its workers again.
void Life::recover() {
    if (is_over()) return;
    while (world_.open_asks() + world_.asks_to_come() > 0 && !is_over() && step()) {
    }
    if (is_over() || world_.status().phase == Phase::stopping) return;
    const Duration bound = watch_.recovery_bound() + longest_script;
    const Instant end = world_.now() + bound + world_.lateness();
    if (!can_recover(company_, policy_)) return;
    const auto is_recovered = [&] { return all_serve(world_.status()); };
    while (!is_recovered() && world_.now() < end && step()) {
    }
    const bool is_stopping = world_.status().phase == Phase::stopping;
    if (!is_over() && !is_stopping && !is_recovered()) world_.violated("invariant 7: the service did not recover");
}

void Life::wind_down() {
    if (is_over()) return;
    world_.ask({core::Stop{}, "SIGTERM"}, Asker::waits, 1us);
    while (step()) {
    }
    if (!is_over()) world_.violated("invariant 7: it sleeps for ever, unfinished");
}

bool Life::step() {
    if (is_over() || !world_.step()) return false;
    observe();
    return !is_over();
}

void Life::observe() {
    if (onlookers_.out != nullptr) tell();
    watch_.after_event();
    if (onlookers_.visits != nullptr) onlookers_.visits->count(world_);
}

void Life::tell() const {
    std::ostream& out = *onlookers_.out;
    out << seconds(world_.now()) << ' ' << describe(world_.last_event()) << '\n';
    for (const auto& action : world_.last_actions()) out << "      " << describe(action) << '\n';
    out << "      = " << describe(world_.status()) << '\n';
}

testing::WorkerScript usual_script(const core::Policy& policy) {
    testing::WorkerScript script;
    script.heartbeat_every = policy.watchdog / 2;
    return script;
}

std::vector<std::string> replay(const Story& story, std::ostream* out) { return replay_all(story, out).violations; }

Replayed replay_all(const Story& story, std::ostream* out) {
    Narrator narrator(story);
    Life life(story.policy, story.seed, story.company, narrator, {nullptr, nullptr, out});
    Replayed replayed{life.live(), {}};
    replayed.end = life.now();
    return replayed;
}

Replayed tell_in_silence(const Story& story) { return replay_all(story, nullptr); }

}  // namespace holdfast::simulator
