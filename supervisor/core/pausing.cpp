#include "core/pausing.hpp"

#include "core/ladder.hpp"
#include "core/words.hpp"

namespace holdfast::core {

void pause_workers(Turn& turn, RequestId asker, const std::string& asked_by) {
    int paused = 0;
    int deaf = 0;
    for (auto& [id, worker] : turn.state.workers) {
        if (!is_ready(worker)) continue;
        // What cannot be told to run again must not be paused.
        if (!can_be_told(worker, Stage::pause) || !can_be_told(worker, Stage::run)) {
            ++deaf;
            continue;
        }
        worker.why = "paused by " + asked_by;
        apply(turn, worker, Trigger::asked_to_pause);
        ++paused;
    }
    if (paused == 0) {
        const std::string text =
            "no worker is ready and can pause: that needs a worker that said HELLO=1 and listed the stage";
        turn.note(Level::warning, "request_refused", text);
        return turn.answer(asker, {Outcome::Result::refused, text, {}, 1});
    }
    std::string text = workers(paused) + " told to pause";
    if (deaf > 0) text += ", " + std::to_string(deaf) + " cannot and still accept";
    turn.answer(asker, {Outcome::Result::done, text, {}, 0});
}

void resume_workers(Turn& turn, RequestId asker) {
    int told = 0;
    for (auto& [id, worker] : turn.state.workers) {
        if (worker.state != WorkerState::paused || !can_be_told(worker, Stage::run)) continue;
        recall(turn, worker);
        ++told;
    }
    if (told == 0) {
        const std::string text = "no worker is paused";
        turn.note(Level::warning, "request_refused", text);
        return turn.answer(asker, {Outcome::Result::refused, text, {}, 1});
    }
    turn.answer(asker, {Outcome::Result::done, workers(told) + " told to accept again", {}, 0});
}

}  // namespace holdfast::core
