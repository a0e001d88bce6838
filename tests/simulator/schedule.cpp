#include "tests/simulator/schedule.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "tests/simulator/casting.hpp"
#include "tests/simulator/status_queries.hpp"

namespace holdfast::simulator {

using namespace std::chrono_literals;
using core::Phase;

namespace {

enum class Opening { from_the_start, inside_a_rollout };

// What goes wrong whenever it is tried. returns: a former generation that is launched again; replacements: whoever is
// launched for one of its own generation, when a rollout waits for the last old ones.
enum class Misfortune { none, returns, replacements };
Misfortune random_misfortune(Random& random) {
    const int draw = random.below(100);
    return draw < 8 ? Misfortune::returns : draw < 16 ? Misfortune::replacements : Misfortune::none;
}

// Draws everything by lot, and writes it down.
class Chance : public Director {
  public:
    Chance(Random& random, Story& story, Opening opening, std::uint64_t events)
        : random_(random),
          story_(story),
          stage_(opening == Opening::inside_a_rollout ? Stage::opening : Stage::roaming),
          mood_(opening == Opening::inside_a_rollout ? Mood::well_behaved : Mood::wild),
          misfortune_(random_misfortune(random)),
          events_left_(events) {}

    testing::WorkerScript script_of(const core::Spawn& spawn) override;
    testing::PreparationScript preparation_of(const core::Prepare&) override {
        return story_.preparations[++preparations_] = random_preparation(random_, mood_);
    }
    Duration lateness() override;
    std::optional<Incident> next(const testing::FakeWorld& world) override;
    bool goes_on(const testing::FakeWorld&) override { return events_left_ > 0; }
    void leave_alone() override;
    std::uint64_t events() const { return events_; }

  private:
    // opening: until a healthy service was asked to restart; inside: until somewhere in the midst of that.
    enum class Stage { opening, inside, roaming };

    std::optional<Incident> open(const testing::FakeWorld& world);
    Incident write_down(const testing::FakeWorld& world, Incident incident, Duration after);

    Random& random_;
    Story& story_;
    Stage stage_;
    Mood mood_;
    Misfortune misfortune_;
    Generation newest_;
    std::set<std::pair<Generation, SlotId>> launched_;
    std::optional<Incident> first_change_{};  // of the opening
    std::uint64_t events_left_, events_ = 0;
    std::uint64_t preparations_ = 0, deadlines_ = 0;
    int steps_inside_ = 0;
    Duration due_{};  // of the request that was drawn last
    std::optional<std::uint64_t> drawn_at_;
};

testing::WorkerScript Chance::script_of(const core::Spawn& spawn) {
    testing::WorkerScript script = random_script(random_, story_.policy, story_.company, mood_);
    newest_ = std::max(newest_, spawn.generation);
    const bool is_first = launched_.insert({spawn.generation, spawn.slot}).second;
    const auto cause = spawn.generation < newest_ ? Misfortune::returns : Misfortune::replacements;
    // The opening waits until everybody serves: until then only leaving is slow.
    const bool may_fail = stage_ != Stage::opening;
    if (may_fail && !is_first && misfortune_ == cause) come_to_nothing(random_, script);
    if (is_first && misfortune_ == Misfortune::replacements) {
        if (random_.percent(50)) script.drained_after.reset();
        if (may_fail) crash_after_probation(random_, story_.policy, script);
    }
    return story_.scripts[spawn.worker.value] = script;
}

void Chance::leave_alone() {
    mood_ = Mood::well_behaved;
    misfortune_ = Misfortune::none;
}

// Mostly on time, sometimes late as on a busy machine.
Duration Chance::lateness() {
    ++deadlines_;
    const int draw = random_.below(100);
    if (draw < 90) return {};
    return story_.lateness[deadlines_] = draw < 99 ? random_.up_to(2ms) : random_.up_to(400ms);
}

// Never at this very moment: what is planned for it already may be under way.
Incident Chance::write_down(const testing::FakeWorld& world, Incident incident, Duration after) {
    incident.at = world.now().time_since_epoch() + std::max<Duration>(after, 1us);
    story_.incidents.push_back(incident);
    return incident;
}

std::optional<Incident> Chance::open(const testing::FakeWorld& world) {
    if (stage_ == Stage::inside) {
        if (--steps_inside_ < 0 || world.status().phase == Phase::serving) stage_ = Stage::roaming;
        return std::nullopt;
    }
    if (!all_serve(world.status()) || world.now().time_since_epoch() < due_) return std::nullopt;
    if (!first_change_) first_change_ = random_change(random_, story_.policy);
    due_ = world.now().time_since_epoch() + 1us;
    // What is rolled back to must have been replaced before.
    const bool needs_former = first_change_->what == Incident::What::rollback && !world.status().rollback_to;
    if (needs_former) return write_down(world, Incident{}, 1us);
    mood_ = random_.percent(70) ? Mood::wild : Mood::well_behaved;
    stage_ = Stage::inside;
    steps_inside_ = 2 + random_.below(12 * story_.policy.workers);
    return write_down(world, *first_change_, 1us);
}

std::optional<Incident> Chance::next(const testing::FakeWorld& world) {
    if (drawn_at_ == world.events()) return std::nullopt;  // once a step
    drawn_at_ = world.events();
    if (stage_ != Stage::roaming) return open(world);
    ++events_;
    --events_left_;
    if (random_.percent(2)) return write_down(world, random_disturbance(random_), random_.any_up_to(2s));
    if (world.now().time_since_epoch() < due_) return std::nullopt;
    const Season season = world.status().phase == Phase::stopping ? Season::stopping : Season::serving;
    const Duration pause = std::max<Duration>(random_pause(random_, season), 1us);
    due_ = world.now().time_since_epoch() + pause;
    return write_down(world, random_request(random_, story_.policy, season), pause);
}

}  // namespace

std::vector<std::string> Schedule::run(std::uint64_t events) {
    std::vector<std::string> violations;
    Opening opening = seed_ % 2 == 0 ? Opening::inside_a_rollout : Opening::from_the_start;
    while (events_ < events && violations.empty()) {
        story_ = Story{};
        story_.policy = random_policy(random_);
        story_.company = random_company(random_, story_.policy);
        story_.seed = random_.next();
        Chance chance(random_, story_, opening, events - events_);
        Life life(story_.policy, story_.seed, story_.company, chance, onlookers_);
        violations = life.live();
        story_.roams_until = life.roamed_until();
        events_ += std::max<std::uint64_t>(chance.events(), 1);
        opening = Opening::from_the_start;
    }
    return violations;
}

}  // namespace holdfast::simulator
