#include "core/pausing.hpp"

#include "core/describe/text.hpp"
#include "core/worker_transitions.hpp"

namespace holdfast::core {
namespace {

// Whether it accepts, or will after a recall.
bool is_ready_or_recalled(const Worker& worker) {
    return is_ready(worker) || (worker.state == WorkerState::paused && worker.recalled);
}

// A worker that does not support the stage run must not be paused: it could not be resumed.
bool can_pause(const Worker& worker) { return can_receive(worker, Stage::pause) && can_receive(worker, Stage::run); }

struct PauseCounts {
    int paused = 0;
    int unable = 0;
};

PauseCounts pause_ready(StepContext& context, const ServicePause& service) {
    PauseCounts counts;
    for (auto& [id, worker] : context.state.workers) {
        if (!is_ready_or_recalled(worker)) continue;
        if (!can_pause(worker)) {
            ++counts.unable;
            continue;
        }
        worker.why = "paused by " + service.asked_by;
        pause(context, worker, service.until - context.now);
        ++counts.paused;
    }
    return counts;
}

int resume_paused(StepContext& context) {
    int recalled = 0;
    for (auto& [id, worker] : context.state.workers) {
        if (worker.state != WorkerState::paused || worker.recalled || !can_receive(worker, Stage::run)) continue;
        recall(context, worker);
        ++recalled;
    }
    return recalled;
}

}  // namespace

void pause_workers(StepContext& context, RequestId asker, const std::string& asked_by) {
    State& state = context.state;
    if (state.pause) {
        const std::string text = "the service is already paused by " + state.pause->asked_by +
                                 "; it resumes automatically in " + seconds(state.pause->until - context.now);
        return context.answer(asker, {Outcome::Result::done, text, {}, 0});
    }
    const ServicePause service{asked_by, context.now + state.policy.max_pause};
    const PauseCounts counts = pause_ready(context, service);
    if (counts.paused == 0) {
        return context.refuse(asker,
                              "cannot pause: no ready worker supports it; a worker that does sends HELLO=1 with the "
                              "stages pause and run");
    }
    state.pause = service;
    std::string text = workers(counts.paused) + " told to pause";
    if (counts.unable > 0) text += ", " + std::to_string(counts.unable) + " cannot pause and still accept";
    text += "; the service resumes automatically in " + seconds(state.policy.max_pause);
    context.note(Level::info, "service_paused", text + "; asked for by " + asked_by);
    context.answer(asker, {Outcome::Result::done, text, {}, 0});
}

void resume_workers(StepContext& context, RequestId asker) {
    if (!context.state.pause) return context.refuse(asker, "the service is not paused");
    context.state.pause.reset();
    const std::string text = workers(resume_paused(context)) + " told to accept again";
    context.note(Level::info, "service_resumed", text);
    context.answer(asker, {Outcome::Result::done, text, {}, 0});
}

void keep_paused(StepContext& context) {
    const auto& service = context.state.pause;
    if (service && service->until > context.now) static_cast<void>(pause_ready(context, *service));
}

void end_pause(StepContext& context) {
    const ServicePause service = *context.state.pause;
    context.state.pause.reset();
    const int recalled = resume_paused(context);
    context.note(Level::warning, "service_resumed",
                 "the pause asked for by " + service.asked_by + " has reached --max-pause: " + workers(recalled) +
                     " told to accept again");
}

}  // namespace holdfast::core
