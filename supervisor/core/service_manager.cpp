#include "core/service_manager.hpp"

#include <algorithm>

#include "core/describe/snapshot.hpp"

namespace holdfast::core {
namespace {

constexpr Duration min_extend_interval = 1s;

Instant latest_end(const State& state) {
    Instant latest = Instant::min();
    for (const auto& [id, worker] : state.workers) {
        latest =
            std::max(latest, worker.state == WorkerState::killed ? worker.deadline : worker.kill_at + unkillable_after);
    }
    return latest;
}

}  // namespace

void report_status(StepContext& context) {
    std::string text = describe(context.state);
    if (text == context.state.manager.status) return;
    context.add(ManagerStatus{text});
    context.state.manager.status = std::move(text);
}

std::optional<Instant> extends_stop_timeout_at(const State& state) {
    const ManagerNotified& notified = state.manager;
    if (!state.shutdown || state.workers.empty() || state.finished) return std::nullopt;
    if (!notified.progress && latest_end(state) <= notified.until) return std::nullopt;
    return notified.at ? *notified.at + min_extend_interval : Instant::min();
}

void extend_stop_timeout(StepContext& context) {
    const auto due = extends_stop_timeout_at(context.state);
    if (!due || *due > context.now) return;
    const Instant end = latest_end(context.state);
    context.add(ManagerExtend{end - context.now});
    context.state.manager.until = end;
    context.state.manager.at = context.now;
    context.state.manager.progress = false;
}

}  // namespace holdfast::core
