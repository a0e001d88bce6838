#include "tests/simulator/schedule.hpp"

#include <algorithm>

#include "tests/simulator/casting.hpp"

namespace holdfast::simulator {

using namespace std::chrono_literals;
using core::Phase;

namespace {

enum class Opening { from_the_start, inside_a_rollout };

bool all_serve(const core::Status& status) {
    const auto settled = std::count_if(status.workers.begin(), status.workers.end(), [](const auto& worker) {
        return worker.state == core::WorkerState::ready && worker.settled;
    });
    return status.phase == Phase::serving && settled == status.target;
}

// Draws everything by lot, and writes it down.
class Chance : public Director {
  public:
    Chance(Random& random, Story& story, Opening opening, std::uint64_t events)
        : random_(random),
          story_(story),
          stage_(opening == Opening::inside_a_rollout ? Stage::opening : Stage::roaming),
          mood_(opening == Opening::inside_a_rollout ? Mood::well_behaved : Mood::wild),
          events_left_(events) {}

    testing::WorkerScript script_of(const core::Spawn& spawn) override {
        return story_.scripts[spawn.worker.value] = random_script(random_, story_.policy, story_.company, mood_);
    }
    testing::PreparationScript preparation_of(const core::Prepare&) override {
        return story_.preparations[++preparations_] = random_preparation(random_, mood_);
    }
    Duration lateness() override;
    std::optional<Incident> next(const testing::FakeWorld& world) override;
    bool goes_on(const testing::FakeWorld&) override { return events_left_ > 0; }
    void leave_alone() override { mood_ = Mood::well_behaved; }
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
    std::uint64_t events_left_, events_ = 0;
    std::uint64_t preparations_ = 0, deadlines_ = 0;
    int steps_inside_ = 0;
    Duration due_{};  // of the request that was drawn last
    std::optional<std::uint64_t> drawn_at_;
};

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
    if (!all_serve(world.status())) return std::nullopt;
    mood_ = random_.percent(70) ? Mood::wild : Mood::well_behaved;
    stage_ = Stage::inside;
    steps_inside_ = 2 + random_.below(12 * story_.policy.workers);
    Incident restart = random_change(random_, story_.policy);
    due_ = world.now().time_since_epoch() + 1us;
    return write_down(world, restart, 1us);
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
