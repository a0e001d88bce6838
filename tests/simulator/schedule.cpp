#include "tests/simulator/schedule.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "tests/simulator/random_inputs.hpp"
#include "tests/simulator/status_queries.hpp"

namespace holdfast::simulator {

using namespace std::chrono_literals;
using core::Phase;

namespace {

enum class Opening { from_the_start, inside_a_rollout };

// A fault that occurs on every attempt. returns: launches of a former generation during a rollback; replacements:
// launches that replace a worker of the same generation, while a rollout waits for the last old workers.
enum class RepeatedFault { none, returns, replacements };
RepeatedFault random_repeated_fault(Random& random) {
    const int draw = random.below(100);
    return draw < 8 ? RepeatedFault::returns : draw < 16 ? RepeatedFault::replacements : RepeatedFault::none;
}

// Generates everything at random, and records it in a story.
class RandomDirector : public Director {
  public:
    RandomDirector(Random& random, Story& story, Opening opening, std::uint64_t events)
        : random_(random),
          story_(story),
          stage_(opening == Opening::inside_a_rollout ? Stage::opening : Stage::roaming),
          behaviour_(opening == Opening::inside_a_rollout ? Behaviour::well_behaved : Behaviour::wild),
          repeated_fault_(random_repeated_fault(random)),
          events_left_(events) {}

    testing::WorkerScript script_of(const core::Spawn& spawn) override;
    testing::PreparationScript preparation_of(const core::Prepare&) override {
        return story_.preparations[++preparations_] = random_preparation(random_, behaviour_);
    }
    Duration lateness() override;
    std::optional<Incident> next(const testing::FakeWorld& world) override;
    bool goes_on(const testing::FakeWorld&) override { return events_left_ > 0; }
    void end_faults() override;
    std::uint64_t events() const { return events_; }

  private:
    // opening: until a healthy service begins a rollout; inside: a random number of steps within that rollout; roaming:
    // random events.
    enum class Stage { opening, inside, roaming };

    std::optional<Incident> open(const testing::FakeWorld& world);
    Incident record(const testing::FakeWorld& world, Incident incident, Duration after);

    Random& random_;
    Story& story_;
    Stage stage_;
    Behaviour behaviour_;
    RepeatedFault repeated_fault_;
    Generation newest_;
    std::set<std::pair<Generation, SlotId>> launched_;
    std::optional<Incident> first_change_{};  // the rollout of the opening
    std::uint64_t events_left_, events_ = 0;
    std::uint64_t preparations_ = 0, deadlines_ = 0;
    int steps_inside_ = 0;
    Duration due_{};  // time of the last generated request
    std::optional<std::uint64_t> generated_at_;
};

testing::WorkerScript RandomDirector::script_of(const core::Spawn& spawn) {
    testing::WorkerScript script = random_script(random_, story_.policy, story_.protocol_mix, behaviour_);
    newest_ = std::max(newest_, spawn.generation);
    const bool is_first = launched_.insert({spawn.generation, spawn.slot}).second;
    const auto cause = spawn.generation < newest_ ? RepeatedFault::returns : RepeatedFault::replacements;
    // The opening waits until all workers serve, so faults are limited to slow exits until then.
    const bool may_fail = stage_ != Stage::opening;
    if (may_fail && !is_first && repeated_fault_ == cause) fail_to_start(random_, script);
    if (is_first && repeated_fault_ == RepeatedFault::replacements) {
        if (random_.percent(50)) script.drained_after.reset();
        if (may_fail) crash_after_probation(random_, story_.policy, script);
    }
    return story_.scripts[spawn.worker.value] = script;
}

void RandomDirector::end_faults() {
    behaviour_ = Behaviour::well_behaved;
    repeated_fault_ = RepeatedFault::none;
}

// Usually on time, sometimes late as on a busy machine.
Duration RandomDirector::lateness() {
    ++deadlines_;
    const int draw = random_.below(100);
    if (draw < 90) return {};
    return story_.lateness[deadlines_] = draw < 99 ? random_.up_to(2ms) : random_.up_to(400ms);
}

// The incident is never planned for the current instant, whose events may already be in delivery.
Incident RandomDirector::record(const testing::FakeWorld& world, Incident incident, Duration after) {
    incident.at = world.now().time_since_epoch() + std::max<Duration>(after, 1us);
    story_.incidents.push_back(incident);
    return incident;
}

std::optional<Incident> RandomDirector::open(const testing::FakeWorld& world) {
    if (stage_ == Stage::inside) {
        if (--steps_inside_ < 0 || world.status().phase == Phase::serving) stage_ = Stage::roaming;
        return std::nullopt;
    }
    if (!all_serve(world.status()) || world.now().time_since_epoch() < due_) return std::nullopt;
    if (!first_change_) first_change_ = random_change(random_, story_.policy);
    due_ = world.now().time_since_epoch() + 1us;
    // A rollback needs a target, so a restart precedes it.
    const bool needs_target = first_change_->what == Incident::What::rollback && !world.status().rollback_to;
    if (needs_target) return record(world, Incident{}, 1us);
    behaviour_ = random_.percent(70) ? Behaviour::wild : Behaviour::well_behaved;
    stage_ = Stage::inside;
    steps_inside_ = 2 + random_.below(12 * story_.policy.workers);
    return record(world, *first_change_, 1us);
}

std::optional<Incident> RandomDirector::next(const testing::FakeWorld& world) {
    if (generated_at_ == world.events()) return std::nullopt;  // once per step
    generated_at_ = world.events();
    if (stage_ != Stage::roaming) return open(world);
    ++events_;
    --events_left_;
    if (random_.percent(2)) return record(world, random_disturbance(random_), random_.any_up_to(2s));
    if (world.now().time_since_epoch() < due_) return std::nullopt;
    const RequestPhase request_phase =
        world.status().phase == Phase::stopping ? RequestPhase::stopping : RequestPhase::serving;
    const Duration pause = std::max<Duration>(random_pause(random_, request_phase), 1us);
    due_ = world.now().time_since_epoch() + pause;
    return record(world, random_request(random_, story_.policy, request_phase), pause);
}

}  // namespace

std::vector<std::string> Schedule::run(std::uint64_t events) {
    std::vector<std::string> violations;
    Opening opening = seed_ % 2 == 0 ? Opening::inside_a_rollout : Opening::from_the_start;
    while (events_ < events && violations.empty()) {
        story_ = Story{};
        story_.policy = random_policy(random_);
        story_.protocol_mix = random_protocol_mix(random_, story_.policy);
        story_.seed = random_.next();
        RandomDirector random_director(random_, story_, opening, events - events_);
        ServiceRun service_run(story_.policy, story_.seed, story_.protocol_mix, random_director, observers_);
        violations = service_run.run();
        story_.roams_until = service_run.roamed_until();
        events_ += std::max<std::uint64_t>(random_director.events(), 1);
        opening = Opening::from_the_start;
    }
    return violations;
}

}  // namespace holdfast::simulator
