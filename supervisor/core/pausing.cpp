#include "core/pausing.hpp"

#include "core/describe/text.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

// It accepts, or is about to.
bool is_ready_or_recalled(const Worker& worker) {
    return is_ready(worker) || (worker.state == WorkerState::paused && worker.recalled);
}

// What cannot be told to run again must not be paused.
bool can_pause(const Worker& worker) { return can_be_told(worker, Stage::pause) && can_be_told(worker, Stage::run); }

struct PauseCounts {
    int paused = 0;
    int unable = 0;
};

PauseCounts tell_to_pause(StepContext& context, const ServicePause& service) {
    PauseCounts told;
    for (auto& [id, worker] : context.state.workers) {
        if (!is_ready_or_recalled(worker)) continue;
        if (!can_pause(worker)) {
            ++told.unable;
            continue;
        }
        worker.why = "paused by " + service.asked_by;
        pause(context, worker, service.until - context.now);
        ++told.paused;
    }
    return told;
}

int tell_to_run(StepContext& context) {
    int told = 0;
    for (auto& [id, worker] : context.state.workers) {
        if (worker.state != WorkerState::paused || worker.recalled || !can_be_told(worker, Stage::run)) continue;
        recall(context, worker);
        ++told;
    }
    return told;
}

}  // namespace

void pause_workers(StepContext& context, RequestId asker, const std::string& asked_by) {
    State& state = context.state;
    if (state.pause) {
        const std::string text = "the service is paused by " + state.pause->asked_by +
                                 " already, and resumes by itself in " + seconds(state.pause->until - context.now);
        return context.answer(asker, {Outcome::Result::done, text, {}, 0});
    }
    const ServicePause service{asked_by, context.now + state.policy.max_pause};
    const PauseCounts told = tell_to_pause(context, service);
    if (told.paused == 0) {
        return context.refuse(
            asker, "no worker is ready and can pause: that needs a worker that said HELLO=1 and listed the stage");
    }
    state.pause = service;
    std::string text = workers(told.paused) + " told to pause";
    if (told.unable > 0) text += ", " + std::to_string(told.unable) + " cannot and still accept";
    text += "; the service resumes by itself in " + seconds(state.policy.max_pause);
    context.note(Level::info, "service_paused", text + "; asked for by " + asked_by);
    context.answer(asker, {Outcome::Result::done, text, {}, 0});
}

void resume_workers(StepContext& context, RequestId asker) {
    if (!context.state.pause) return context.refuse(asker, "the service is not paused");
    context.state.pause.reset();
    const std::string text = workers(tell_to_run(context)) + " told to accept again";
    context.note(Level::info, "service_resumed", text);
    context.answer(asker, {Outcome::Result::done, text, {}, 0});
}

void keep_paused(StepContext& context) {
    const auto& service = context.state.pause;
    if (service && service->until > context.now) static_cast<void>(tell_to_pause(context, *service));
}

void end_pause(StepContext& context) {
    const ServicePause service = *context.state.pause;
    context.state.pause.reset();
    const int told = tell_to_run(context);
    context.note(Level::warning, "service_resumed",
                 "the pause asked for by " + service.asked_by +
                     " is over, it lasted as long as --max-pause allows: " + workers(told) + " told to accept again");
}

}  // namespace holdfast::core
