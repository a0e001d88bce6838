#include "core/pending.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::core {
namespace {

using Kind = PendingChange::Kind;

bool replaces_workers(Kind kind) { return kind != Kind::scale; }

void drop_plan(StepContext& context, const PendingChange& change) {
    if (change.reload) context.add(DropPlan{change.reload->plan});
}

}  // namespace

void supersede(StepContext& context, const std::vector<RequestId>& askers, const std::string& by) {
    const std::string text = "superseded by a later request of " + by;
    context.note(Level::info, "request_superseded", text);
    context.answer(askers, {Outcome::Result::superseded, text, {}, 1});
}

void enqueue(StepContext& context, PendingChange change) {
    auto& pending = context.state.pending;
    const auto earlier = std::find_if(pending.begin(), pending.end(), [&](const PendingChange& other) {
        return replaces_workers(other.kind) == replaces_workers(change.kind);
    });
    if (earlier != pending.end()) {
        drop_plan(context, *earlier);
        // Two reloads are the same even if their plans differ: the later one has the newer contents of the file.
        const bool same = earlier->kind == change.kind && change.kind != Kind::scale;
        if (same) {
            context.note(Level::info, "request_coalesced",
                         "the request of " + change.asked_by + " joins an earlier one that has not begun");
            change.askers.insert(change.askers.begin(), earlier->askers.begin(), earlier->askers.end());
        } else {
            supersede(context, earlier->askers, change.asked_by);
        }
        pending.erase(earlier);
    }
    pending.push_back(std::move(change));
}

void drop_pending(StepContext& context, const Outcome& outcome) {
    for (const PendingChange& change : std::exchange(context.state.pending, {})) {
        drop_plan(context, change);
        context.answer(change.askers, outcome);
    }
}

}  // namespace holdfast::core
