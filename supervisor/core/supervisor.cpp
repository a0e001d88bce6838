#include "core/supervisor.hpp"

#include "core/action_order.hpp"
#include "core/crashes.hpp"
#include "core/deadlines.hpp"
#include "core/describe/snapshot.hpp"
#include "core/describe/unready.hpp"
#include "core/first_generation.hpp"
#include "core/listener_claim.hpp"
#include "core/pausing.hpp"
#include "core/probing.hpp"
#include "core/reconcile.hpp"
#include "core/requests.hpp"
#include "core/rollout.hpp"
#include "core/state.hpp"
#include "core/watchdog.hpp"
#include "core/worker_events.hpp"

namespace holdfast::core {
namespace {

// Dispatches an event to its handler. An event type without an overload does not compile.
struct EventHandler {
    StepContext& context;

    void operator()(const Spawned& event) const { on_spawned(context, event); }
    void operator()(const SpawnFailed& event) const { on_spawn_failed(context, event); }
    void operator()(const Said& event) const { on_said(context, event); }
    void operator()(const ChannelLost& event) const { on_channel_lost(context, event); }
    void operator()(const MainExited& event) const { on_main_exited(context, event); }
    void operator()(const LookedAgain& event) const { on_looked_again(context, event); }
    void operator()(const Exited& event) const { on_exited(context, event); }
    void operator()(const ProbeAnswered& event) const { on_probe_answered(context, event); }
    void operator()(const ListenerClaimed& event) const { on_listener_claimed(context, event); }
    void operator()(const Prepared& event) const { on_prepared(context, event); }
    void operator()(const Asked& event) const { on_asked(context, event); }
    void operator()(const Elapsed&) const { expire(context); }
};

// Derives actions from the state. Runs after every event and does not depend on the event.
void update_service(StepContext& context) {
    detect_crash_loops(context);
    keep_paused(context);
    reconcile(context);
    send_probes(context);
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
    StepContext context{*state_, now};
    begin_first_generation(context);
    reconcile(context);
    return in_execution_order(std::move(context.actions));
}

std::vector<Action> Supervisor::step(const Event& event, Instant now) {
    if (state_->finished) return {};
    advance_awake_clock(*state_, now);
    StepContext context{*state_, now};
    std::visit(EventHandler{context}, event);
    update_service(context);
    return in_execution_order(std::move(context.actions));
}

std::optional<Instant> Supervisor::next_deadline() const { return core::next_deadline(*state_); }

Status Supervisor::snapshot(Instant now) const { return take_snapshot(*state_, now); }

std::string Supervisor::unready_because(Instant now) const { return core::unready_because(*state_, now); }

std::string Supervisor::crash_loops() const { return describe_loops(*state_); }

const TransitionCounts& Supervisor::transition_counts() const { return state_->transition_counts; }

}  // namespace holdfast::core
