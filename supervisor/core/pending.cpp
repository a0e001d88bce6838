#include "core/pending.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::core {
namespace {

using Kind = PendingChange::Kind;

bool replaces_workers(Kind kind) { return kind != Kind::scale; }

void drop_plan(Turn& turn, const PendingChange& change) {
    if (change.reload) turn.add(DropPlan{change.reload->plan});
}

}  // namespace

void supersede(Turn& turn, const std::vector<RequestId>& askers, const std::string& by) {
    const std::string text = "superseded by a later request of " + by;
    turn.note(Level::info, "request_superseded", text);
    turn.answer(askers, {Outcome::Result::superseded, text, {}, 1});
}

void enqueue(Turn& turn, PendingChange change) {
    auto& pending = turn.state.pending;
    const auto earlier = std::find_if(pending.begin(), pending.end(), [&](const PendingChange& other) {
        return replaces_workers(other.kind) == replaces_workers(change.kind);
    });
    if (earlier != pending.end()) {
        drop_plan(turn, *earlier);
        // A reload that was asked for is a restart as well, and one of the file as it is now.
        const bool same = earlier->kind == change.kind && change.kind != Kind::scale;
        if (same) {
            turn.note(Level::info, "request_coalesced",
                      "the request of " + change.asked_by + " joins an earlier one that has not begun");
            change.askers.insert(change.askers.begin(), earlier->askers.begin(), earlier->askers.end());
        } else {
            supersede(turn, earlier->askers, change.asked_by);
        }
        pending.erase(earlier);
    }
    pending.push_back(std::move(change));
}

void drop_pending(Turn& turn, const Outcome& outcome) {
    for (const PendingChange& change : std::exchange(turn.state.pending, {})) {
        drop_plan(turn, change);
        turn.answer(change.askers, outcome);
    }
}

}  // namespace holdfast::core
