#include "stage_callbacks.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <string>

#include "wire/wire.hpp"

namespace holdfast {

namespace {

Callback::Remaining until(StageCallbacks::Deadline deadline) {
    if (!deadline) return Callback::Remaining::max();
    const auto left = *deadline - std::chrono::steady_clock::now();
    return std::max(std::chrono::duration_cast<Callback::Remaining>(left), Callback::Remaining::zero());
}

}  // namespace

Call Runner::run(std::string_view what, const std::function<void()>& function) const {
    if (!post_) return call_or_complain(what, function);
    std::future<Call> result;
    const Call posted = call_or_complain("cannot post a function to where WorkerOptions::post takes it", [&] {
        auto outcome = std::make_shared<std::promise<Call>>();
        result = outcome->get_future();
        post_([outcome = std::move(outcome), what = std::string(what), &function] {
            outcome->set_value(call_or_complain(what, function));
        });
    });
    if (posted == Call::threw) return posted;
    try {
        return result.get();
    } catch (const std::future_error&) {
        complain(std::string(what) + ": it was thrown away unrun by what WorkerOptions::post gave it to");
        return Call::threw;
    }
}

void StageCallbacks::run(Stage stage, Deadline deadline, const Runner& runner) const {
    run_all(callbacks_[index_of(stage)], wire::name_of(stage), deadline, runner);
}

void StageCallbacks::run_released(Deadline deadline, const Runner& runner) const {
    run_all(released_, "released", deadline, runner);
}

void StageCallbacks::run_all(const std::vector<Callback>& callbacks, std::string_view stage, Deadline deadline,
                             const Runner& runner) {
    for (const Callback& callback : callbacks) {
        runner.run("a callback for " + std::string(stage) + " failed", [&] { callback(until(deadline)); });
    }
}

}  // namespace holdfast
