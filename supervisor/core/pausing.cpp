#include "core/pausing.hpp"

#include "core/ladder.hpp"
#include "core/words.hpp"

namespace holdfast::core {
namespace {

// It accepts, or is about to.
bool is_ready_or_recalled(const Worker& worker) {
    return is_ready(worker) || (worker.state == WorkerState::paused && worker.recalled);
}

// What cannot be told to run again must not be paused.
bool can_pause(const Worker& worker) { return can_be_told(worker, Stage::pause) && can_be_told(worker, Stage::run); }

struct Told {
    int paused = 0;
    int deaf = 0;
};

Told tell_to_pause(Turn& turn, const ServicePause& service) {
    Told told;
    for (auto& [id, worker] : turn.state.workers) {
        if (!is_ready_or_recalled(worker)) continue;
        if (!can_pause(worker)) {
            ++told.deaf;
            continue;
        }
        worker.why = "paused by " + service.asked_by;
        pause(turn, worker, service.until - turn.now);
        ++told.paused;
    }
    return told;
}

int tell_to_run(Turn& turn) {
    int told = 0;
    for (auto& [id, worker] : turn.state.workers) {
        if (worker.state != WorkerState::paused || worker.recalled || !can_be_told(worker, Stage::run)) continue;
        recall(turn, worker);
        ++told;
    }
    return told;
}

}  // namespace

void pause_workers(Turn& turn, RequestId asker, const std::string& asked_by) {
    State& state = turn.state;
    if (state.pause) {
        const std::string text = "the service is paused by " + state.pause->asked_by +
                                 " already, and resumes by itself in " + seconds(state.pause->until - turn.now);
        return turn.answer(asker, {Outcome::Result::done, text, {}, 0});
    }
    const ServicePause service{asked_by, turn.now + state.policy.max_pause};
    const Told told = tell_to_pause(turn, service);
    if (told.paused == 0) {
        return turn.refuse(
            asker, "no worker is ready and can pause: that needs a worker that said HELLO=1 and listed the stage");
    }
    state.pause = service;
    std::string text = workers(told.paused) + " told to pause";
    if (told.deaf > 0) text += ", " + std::to_string(told.deaf) + " cannot and still accept";
    text += "; the service resumes by itself in " + seconds(state.policy.max_pause);
    turn.note(Level::info, "service_paused", text + "; asked for by " + asked_by);
    turn.answer(asker, {Outcome::Result::done, text, {}, 0});
}

void resume_workers(Turn& turn, RequestId asker) {
    if (!turn.state.pause) return turn.refuse(asker, "the service is not paused");
    turn.state.pause.reset();
    const std::string text = workers(tell_to_run(turn)) + " told to accept again";
    turn.note(Level::info, "service_resumed", text);
    turn.answer(asker, {Outcome::Result::done, text, {}, 0});
}

void keep_paused(Turn& turn) {
    const auto& service = turn.state.pause;
    if (service && service->until > turn.now) static_cast<void>(tell_to_pause(turn, *service));
}

void end_pause(Turn& turn) {
    const ServicePause service = *turn.state.pause;
    turn.state.pause.reset();
    const int told = tell_to_run(turn);
    turn.note(Level::warning, "service_resumed",
              "the pause asked for by " + service.asked_by +
                  " is over, it lasted as long as --max-pause allows: " + workers(told) + " told to accept again");
}

}  // namespace holdfast::core
