#include "tests/simulator/schedule.hpp"

#include <algorithm>
#include <ostream>

#include "tests/simulator/bounds.hpp"
#include "tests/simulator/describe.hpp"

namespace holdfast::simulator {

using namespace std::chrono_literals;
using core::Phase;
using core::WorkerState;
using testing::Asker;
using testing::FakeWorld;

namespace {

// The longest time after which a scripted worker still does something by itself.
constexpr Duration longest_script = 60s;

bool all_serve(const core::Status& status) {
    const auto& workers = status.workers;
    const auto ready = std::count_if(workers.begin(), workers.end(), [](const auto& worker) {
        return worker.state == WorkerState::ready && worker.settled;
    });
    return status.phase == Phase::serving && ready == status.target;
}

// A silent worker of a service that must speak never gets ready, however well it behaves.
bool can_recover(Company company, const core::Policy& policy) {
    if (company == Company::protocol || company == Company::notify) return true;
    if (std::holds_alternative<core::ReadyAlive>(policy.ready_when)) return true;
    return company == Company::silent && std::holds_alternative<core::ReadyAuto>(policy.ready_when);
}

}  // namespace

// One service from its launch to its end.
struct Schedule::Life {
    Life(Schedule& schedule, Mood first_mood)
        : policy(random_policy(schedule.random_)),
          company(random_company(schedule.random_, policy)),
          mood(first_mood),
          world(
              policy, schedule.random_.next(),
              [this, &schedule](const core::Spawn& spawn) { return cast(schedule, spawn); },
              [&schedule] { return schedule.lateness(); }),
          watch(world, schedule.longest_) {}
    testing::WorkerScript cast(Schedule& schedule, const core::Spawn& spawn) const {
        const auto script = random_script(schedule.random_, policy, company, mood);
        if (schedule.out_ != nullptr)
            *schedule.out_ << "      script of #" << spawn.worker.value << ": " << describe(script) << '\n';
        return script;
    }
    bool is_over() const { return world.exit_code().has_value() || !world.violations().empty(); }

    core::Policy policy;
    Company company;
    Mood mood;
    FakeWorld world;
    Watch watch;
    std::size_t told = 0;
};

Schedule::Schedule(std::uint64_t seed, Visits& visits, LongestAnswers& longest, std::ostream* out)
    : random_(seed * 0x2545f4914f6cdd1d),
      visits_(visits),
      longest_(longest),
      out_(out),
      opening_(seed % 2 == 0 ? Opening::inside_a_rollout : Opening::from_the_start) {}

std::vector<std::string> Schedule::run(std::uint64_t events) {
    for (Opening opening = opening_; events_ < events && violations_.empty(); opening = Opening::from_the_start)
        live(opening, events);
    return violations_;
}

void Schedule::live(Opening opening, std::uint64_t events) {
    const bool is_inside = opening == Opening::inside_a_rollout;
    Life life(*this, is_inside ? Mood::well_behaved : Mood::wild);
    if (const auto fault = core::find_fault(life.policy)) life.world.violated("the policy: " + *fault);
    if (out_ != nullptr) *out_ << "policy: " << describe(life.policy) << '\n';
    life.world.start();
    life.watch.after_start();
    visits_.count(life.world);
    if (out_ != nullptr) tell(life);
    if (is_inside) drive_into_rollout(life);
    life.mood = Mood::wild;
    roam(life, events);
    recover(life);
    wind_down(life);
    visits_.count_triggers(life.world.visits());
    violations_ = life.world.violations();
}

void Schedule::drive_into_rollout(Life& life) {
    while (!all_serve(life.world.status()) && step(life)) {
    }
    if (life.is_over()) return;
    life.mood = random_.percent(70) ? Mood::wild : Mood::well_behaved;
    life.world.ask({core::Restart{}, "SIGHUP"});
    step(life);
    const int steps = random_.below(12 * life.policy.workers);
    for (int i = 0; i < steps && life.world.status().phase == Phase::rolling_out && step(life); ++i) {
    }
}

void Schedule::roam(Life& life, std::uint64_t events) {
    std::size_t last_ask = life.world.asks().size();
    while (events_ < events && !life.is_over()) {
        const auto& asks = life.world.asks();
        if (last_ask == asks.size() || asks[last_ask].was_asked) {
            const Season season = life.world.status().phase == Phase::stopping ? Season::stopping : Season::serving;
            const Asker asker = random_.percent(20) ? Asker::signal : Asker::waits;
            last_ask =
                life.world.ask(random_request(random_, life.policy, season), asker, random_pause(random_, season));
        }
        if (random_.percent(2)) disturb(life);
        if (life.is_over() || !step(life)) return;
        ++events_;
    }
}

// What the core must bear at any time: a timer that fires for nothing, a late word of a worker that is gone.
void Schedule::disturb(Life& life) {
    if (random_.percent(50)) {
        life.world.feed(core::Elapsed{});
        return observe(life);
    }
    for (const auto& worker : life.world.workers()) {
        if (!worker.is_forgotten) continue;
        core::Said late_word{worker.id(), {}};
        late_word.report.ready = true;
        life.world.feed(late_word);
        if (!life.world.last_actions().empty()) life.world.violated("a word of a forgotten worker was acted upon");
        return observe(life);
    }
}

// Left alone, and with new workers that behave, a service has all its workers again.
void Schedule::recover(Life& life) {
    life.mood = Mood::well_behaved;
    if (life.is_over() || life.world.status().phase == Phase::stopping) return;
    const core::Policy& policy = life.policy;
    const Duration bound = answer_bound(policy, {core::Restart{}, ""}, policy.workers + 4) + policy.max_pause +
                           policy.backoff_max * 5 / 4 + longest_script + coming_bound(policy) + leaving_bound(policy);
    const Instant end = life.world.now() + bound + life.world.lateness();
    while (life.world.open_asks() > 0 && !life.is_over() && step(life)) {
    }
    if (life.is_over() || !can_recover(life.company, policy)) return;
    const auto is_recovered = [&] { return all_serve(life.world.status()); };
    while (!is_recovered() && life.world.now() < end && step(life)) {
    }
    const bool is_stopping = life.world.status().phase == Phase::stopping;
    if (!life.is_over() && !is_stopping && !is_recovered())
        life.world.violated("invariant 7: the service did not recover");
}

void Schedule::wind_down(Life& life) {
    if (life.is_over()) return;
    life.world.ask({core::Stop{}, "SIGTERM"});
    while (step(life)) {
    }
    if (!life.is_over()) life.world.violated("invariant 7: it sleeps for ever, unfinished");
}

bool Schedule::step(Life& life) {
    if (life.is_over() || !life.world.step()) return false;
    observe(life);
    return !life.is_over();
}

void Schedule::observe(Life& life) {
    if (out_ != nullptr) tell(life);
    life.watch.after_event();
    visits_.count(life.world);
}

void Schedule::tell(const Life& life) const {
    const FakeWorld& world = life.world;
    *out_ << seconds(world.now()) << ' ' << describe(world.last_event()) << '\n';
    for (const auto& action : world.last_actions()) *out_ << "      " << describe(action) << '\n';
    *out_ << "      = " << describe(world.status()) << '\n';
}

// Mostly on time, sometimes late as on a busy machine.
Duration Schedule::lateness() {
    const int draw = random_.below(100);
    if (draw < 90) return {};
    return draw < 99 ? random_.up_to(2ms) : random_.up_to(400ms);
}

}  // namespace holdfast::simulator
