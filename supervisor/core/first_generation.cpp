#include "core/first_generation.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/describe/text.hpp"
#include "core/probing.hpp"
#include "core/roster.hpp"
#include "core/shutdown.hpp"

namespace holdfast::core {
namespace {

// Whether the error is a lack of resources that may be temporary. A retry after any other error fails again.
bool is_transient(int error_number) {
    constexpr std::array transient{EMFILE, ENFILE, ENOMEM, EAGAIN, ENOBUFS, EINTR, ETIMEDOUT};
    return std::find(transient.begin(), transient.end(), error_number) != transient.end();
}

std::string describe_unready(const State& state, std::size_t slot, const Worker* worker) {
    std::string text = "slot " + std::to_string(slot) + ": ";
    const Slot& record = state.slots[slot];
    if (worker != nullptr && worker->launch == Launch::pending) {
        text += "worker " + name_of(*worker) + " is still being launched";
    } else if (worker != nullptr) {
        text += "worker " + name_of(*worker) + " did not report that it is ready" + probe_failure_text(*worker);
    }
    if (record.last_failure.empty()) return text;
    if (worker != nullptr) text += ", and before that ";
    return text + record.last_failure + quote_last(record.last_words);
}

}  // namespace

void begin_first_generation(StepContext& context) {
    State& state = context.state;
    const Duration timeout = state.policy.ready_timeout;
    state.first_generation = FirstGeneration{context.now + timeout, context.now + timeout + state.policy.max_extension};
    state.serving =
        Origin{Generation{++state.last_generation}, LaunchSpecId{++state.last_spec}, health_settings_of(state.policy)};
    state.specs.push_back(state.serving.spec);
    context.record(state.serving.generation, "started", "start of the service");
}

void fail_first_generation_at_launch(StepContext& context, const std::string& what, int error_number) {
    if (!context.state.first_generation || is_transient(error_number)) return;
    begin_shutdown(context, Shutdown::Cause::first_generation_failed, what, LameDuck::skipped);
}

void fail_first_generation_at_deadline(StepContext& context) {
    State& state = context.state;
    const Roster roster = build_roster(state, state.serving.generation);
    std::vector<std::string> unready;
    for (std::size_t slot = 0; slot < roster.slots.size(); ++slot) {
        const Worker* worker = roster.slots[slot].wanted;
        if (worker == nullptr || !is_ready(*worker)) unready.push_back(describe_unready(state, slot, worker));
    }
    context.note(Level::error, "rollout_failed",
                 "the first generation did not get ready within " + seconds(state.policy.ready_timeout) + ": " +
                     list_of(unready));
    begin_shutdown(context, Shutdown::Cause::first_generation_failed, "the first generation did not get ready",
                   LameDuck::skipped);
}

void advance_first_generation(StepContext& context) {
    State& state = context.state;
    Roster roster = build_roster(state, state.serving.generation);
    for (std::size_t slot = 0; slot < roster.slots.size(); ++slot) {
        if (roster.slots[slot].wanted == nullptr) fill_slot(context, roster, slot, state.serving);
    }
    if (!all_ready(roster)) return;
    state.first_generation.reset();
    state.has_served = true;
    context.add(ServeWith{state.serving.spec});
    context.record(state.serving.generation, "ready", workers(state.target) + " ready");
    context.record(state.serving.generation, "done", "serves with " + workers(state.target));
    context.add(ManagerReady{});
    context.note(Level::info, "service_ready", "the service is ready with " + workers(state.target));
}

}  // namespace holdfast::core
