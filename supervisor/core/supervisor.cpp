#include "core/supervisor.hpp"

#include "core/claims.hpp"
#include "core/crashes.hpp"
#include "core/deadlines.hpp"
#include "core/first_generation.hpp"
#include "core/lives.hpp"
#include "core/pausing.hpp"
#include "core/probing.hpp"
#include "core/reconcile.hpp"
#include "core/requests.hpp"
#include "core/rollout.hpp"
#include "core/snapshot.hpp"
#include "core/state.hpp"
#include "core/unready.hpp"
#include "core/watchdog.hpp"

namespace holdfast::core {
namespace {

// One overload for each event: an event without one does not compile.
struct Happening {
    Turn& turn;

    void operator()(const Spawned& event) const { on_spawned(turn, event); }
    void operator()(const SpawnFailed& event) const { on_spawn_failed(turn, event); }
    void operator()(const Said& event) const { on_said(turn, event); }
    void operator()(const ChannelLost& event) const { on_channel_lost(turn, event); }
    void operator()(const MainExited& event) const { on_main_exited(turn, event); }
    void operator()(const Exited& event) const { on_exited(turn, event); }
    void operator()(const ProbeAnswered& event) const { on_probe_answered(turn, event); }
    void operator()(const Claimed& event) const { on_claimed(turn, event); }
    void operator()(const Prepared& event) const { on_prepared(turn, event); }
    void operator()(const Asked& event) const { on_asked(turn, event); }
    void operator()(const Elapsed&) const { expire(turn); }
};

// What follows from the facts, whatever event brought them.
void draw_conclusions(Turn& turn) {
    watch_for_loops(turn);
    keep_paused(turn);
    reconcile(turn);
    ask_probes(turn);
}

}  // namespace

Supervisor::Supervisor(const Policy& policy, std::uint64_t seed, Generation last) : state_(std::make_unique<State>()) {
    state_->last_generation = last.value;
    state_->policy = policy;
    state_->random.state = seed;
    state_->target = policy.workers;
    state_->slots.resize(static_cast<std::size_t>(policy.workers));
}

Supervisor::~Supervisor() = default;
Supervisor::Supervisor(Supervisor&&) noexcept = default;
Supervisor& Supervisor::operator=(Supervisor&&) noexcept = default;

std::vector<Action> Supervisor::start(Instant now) {
    Turn turn{*state_, now};
    begin_first_generation(turn);
    reconcile(turn);
    return std::move(turn.actions);
}

std::vector<Action> Supervisor::step(const Event& event, Instant now) {
    if (state_->finished) return {};
    keep_listening(*state_, now);
    Turn turn{*state_, now};
    std::visit(Happening{turn}, event);
    draw_conclusions(turn);
    return std::move(turn.actions);
}

std::optional<Instant> Supervisor::next_deadline() const { return core::next_deadline(*state_); }

Status Supervisor::snapshot(Instant now) const { return take_snapshot(*state_, now); }

std::string Supervisor::unready_because(Instant now) const { return core::unready_because(*state_, now); }

std::string Supervisor::crash_loops() const { return describe_loops(*state_); }

const Visits& Supervisor::visits() const { return state_->visits; }

}  // namespace holdfast::core
