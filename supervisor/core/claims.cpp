#include "core/claims.hpp"

#include "core/readiness.hpp"
#include "core/rollout.hpp"

namespace holdfast::core {

void check_claim(Turn& turn, Worker& worker) {
    worker.claiming = Worker::Claiming::awaited;
    turn.add(CheckClaim{worker.id});
}

void on_claimed(Turn& turn, const Claimed& event) {
    const auto found = turn.state.workers.find(event.worker);
    if (found == turn.state.workers.end() || found->second.claiming == Worker::Claiming::no) return;
    Worker& worker = found->second;
    worker.claiming = Worker::Claiming::no;
    worker.claim = event.claim;
    if (event.claim == Claim::not_known) {
        turn.note(Level::debug, "claim_unknown", worker, "whether it has its listeners open is unknown");
    }
    if (event.claim == Claim::missing) {
        turn.note(Level::warning, "listener_not_claimed", worker, event.text);
        if (!is_leaving(worker)) fail_rollout_by(turn, worker, "cannot serve: " + event.text, {});
    }
    settle_if_due(turn, worker);
}

}  // namespace holdfast::core
