#include "core/listener_claim.hpp"

#include "core/readiness.hpp"
#include "core/rollout.hpp"

namespace holdfast::core {

void check_listener_claim(StepContext& context, Worker& worker) {
    worker.claim_check = Worker::ClaimCheck::awaited;
    context.add(CheckListenerClaim{worker.id});
}

void on_listener_claimed(StepContext& context, const ListenerClaimed& event) {
    const auto found = context.state.workers.find(event.worker);
    if (found == context.state.workers.end() || found->second.claim_check == Worker::ClaimCheck::no) return;
    Worker& worker = found->second;
    worker.claim_check = Worker::ClaimCheck::no;
    worker.claim = event.claim;
    if (event.claim == ListenerClaim::not_known) {
        context.note(Level::debug, "claim_unknown", worker, "cannot determine whether it has its listeners open");
    }
    if (event.claim == ListenerClaim::missing) {
        context.note(Level::warning, "listener_not_claimed", worker, event.text);
        if (!is_leaving(worker)) fail_rollout_by(context, worker, "cannot serve: " + event.text, {});
    }
    settle_if_due(context, worker);
}

}  // namespace holdfast::core
