#include "stage_callbacks.hpp"

#include <algorithm>
#include <condition_variable>
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

// A function posted to another thread. It runs there once, or never. May outlive the Runner's wait for it.
class Runner::Posted {
  public:
    enum class State { waiting, running, over, discarded };

    Posted(std::string what, const std::function<void()>& function) : what_(std::move(what)), function_(&function) {}

    // Called on the other thread. The caller owns the function, so it is accessed only while the caller waits.
    void run() {
        {
            const std::lock_guard lock(mutex_);
            if (state_ != State::waiting) return;
            state_ = State::running;
        }
        const Call call = call_or_log_error(what_, *function_);
        set(State::over, call);
    }

    // Called when the function can no longer run, or must not.
    void discard() {
        const std::lock_guard lock(mutex_);
        if (state_ == State::waiting) state_ = State::discarded;
        changed_.notify_all();
    }

    State wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return state_ == State::over || state_ == State::discarded; });
        return state_;
    }

    Call call() const { return call_; }

  private:
    void set(State state, Call call) {
        const std::lock_guard lock(mutex_);
        state_ = state;
        call_ = call;
        changed_.notify_all();
    }

    const std::string what_;
    const std::function<void()>* const function_;
    std::mutex mutex_;
    std::condition_variable changed_;
    State state_ = State::waiting;
    Call call_ = Call::threw;
};

Call Runner::run(std::string_view what, const std::function<void()>& function) const {
    if (!post_) return call_or_log_error(what, function);
    const auto posted = std::make_shared<Posted>(std::string(what), function);
    {
        const std::lock_guard lock(mutex_);
        if (is_stopped_) return Call::threw;
        pending_.push_back(posted);
    }
    const Call given = call_or_log_error("cannot post a function by WorkerOptions::post", [&] {
        // Destroying the last copy of the posted function shows that it will not run.
        std::shared_ptr<void> last_copy(nullptr, [posted](void*) { posted->discard(); });
        post_([posted, last_copy = std::move(last_copy)] { posted->run(); });
    });
    if (given == Call::threw) posted->discard();
    const bool has_run = posted->wait() == Posted::State::over;
    const std::lock_guard lock(mutex_);
    std::erase(pending_, posted);
    if (has_run) return posted->call();
    if (!is_stopped_) log_error(std::string(what) + ": WorkerOptions::post discarded it without running it");
    return Call::threw;
}

void Runner::stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    for (const auto& posted : pending_) posted->discard();
}

void StageCallbacks::add_accepting(Callback stop, Callback start) {
    // Only the stages of one worker use it, one after the other.
    const auto is_stopped = std::make_shared<bool>(false);
    const auto shared_stop = std::make_shared<const Callback>(std::move(stop));  // one object for both stages
    const Callback stop_once = [is_stopped, shared_stop](Callback::Remaining left) {
        if (!std::exchange(*is_stopped, true)) (*shared_stop)(left);
    };
    add(Stage::pause, stop_once);
    add(Stage::drain, stop_once);
    add(Stage::run, [is_stopped, start = std::move(start)](Callback::Remaining left) {
        if (std::exchange(*is_stopped, false)) start(left);
    });
}

Call StageCallbacks::run(Stage stage, Deadline deadline, const Runner& runner) const {
    return run_all(of(stage), wire::name_of(stage), deadline, runner);
}

void StageCallbacks::run_released(Deadline deadline, const Runner& runner) const {
    run_all(released_, "released", deadline, runner);
}

Call StageCallbacks::run_all(const std::vector<Callback>& callbacks, std::string_view stage, Deadline deadline,
                             const Runner& runner) {
    Call result = Call::returned;
    for (const Callback& callback : callbacks) {
        const auto call = [&] { callback(until(deadline)); };
        if (runner.run("a callback for " + std::string(stage) + " failed", call) == Call::threw) result = Call::threw;
    }
    return result;
}

}  // namespace holdfast
