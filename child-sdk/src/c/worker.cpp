#include <algorithm>

#include "callbacks.hpp"
#include "sized_options.hpp"
#include "version.hpp"
#include "worker_use.hpp"

namespace {

using namespace holdfast::c;
using holdfast::Worker;
using holdfast::WorkerOptions;

// A new field needs one more line here. An old program, which does not know the field, passes a smaller size.
const holdfast_options& default_options() {
    static const holdfast_options defaults = [] {
        const WorkerOptions usual;
        holdfast_options options{};
        options.size = sizeof options;
        options.lame_duck_ms = usual.lame_duck.count();
        options.grace_period_ms = usual.grace_period.count();
        options.cancel_period_ms = usual.cancel_period.count();
        options.keep_alive_min_ms = usual.keep_alive_min.count();
        options.give_up = holdfast_give_up_end_process;
        return options;
    }();
    return defaults;
}

WorkerOptions::Drive drive_of(int drive) {
    if (drive == holdfast_drive_helper_thread) return WorkerOptions::Drive::helper_thread;
    if (drive == holdfast_drive_dispatch) return WorkerOptions::Drive::dispatch;
    refuse("create a worker", "drive is " + std::to_string(drive) + "; use one of enum holdfast_drive");
}

WorkerOptions::GiveUp give_up_of(int give_up) {
    if (give_up == holdfast_give_up_end_process) return WorkerOptions::GiveUp::end_process;
    if (give_up == holdfast_give_up_return_status) return WorkerOptions::GiveUp::return_status;
    refuse("create a worker", "give_up is " + std::to_string(give_up) + "; use one of enum holdfast_give_up");
}

void run_posted(void* argument) {
    const std::unique_ptr<std::function<void()>> function(static_cast<std::function<void()>*>(argument));
    (*function)();
}

std::function<void(std::function<void()>)> posting(const holdfast_options& options) {
    if (options.post == nullptr) return {};
    return [post = options.post, user = options.post_user](std::function<void()> function) {
        auto kept = std::make_unique<std::function<void()>>(std::move(function));
        call<CallbackKind::joined>(post, run_posted, static_cast<void*>(kept.get()), user);
        std::ignore = kept.release();  // run_posted owns it now
    };
}

WorkerOptions to_cpp(const holdfast_options& options) {
    WorkerOptions made;
    made.lame_duck = duration(options.lame_duck_ms, "create a worker");
    made.grace_period = duration(options.grace_period_ms, "create a worker");
    made.cancel_period = duration(options.cancel_period_ms, "create a worker");
    made.keep_alive_min = duration(options.keep_alive_min_ms, "create a worker");
    if (options.health != nullptr) made.health = options.health;
    made.drive = drive_of(options.drive);
    made.post = posting(options);
    made.give_up = give_up_of(options.give_up);
    return made;
}

holdfast::Callback to_cpp(holdfast_stage_callback callback, void* user, std::string_view what, std::string_view name) {
    return {[function = &not_null(callback, what, name), user](std::chrono::microseconds remaining) {
        call<CallbackKind::joined>(function, remaining.count(), user);
    }};
}

template <class Add>
int add_callback(holdfast_worker* worker, holdfast_stage_callback callback, void* user, Add add) noexcept {
    constexpr std::string_view what = "add a callback";
    return guarded([&] {
        const WorkerUse use(worker, what);
        (use->worker.*add)(to_cpp(callback, user, what, "callback"));
    });
}

}  // namespace

const char* holdfast_version() {
    static constexpr std::string_view version = holdfast::sdk_version;  // a literal, so it ends with NUL
    return version.data();
}

const char* holdfast_last_error() { return last_error(); }

int holdfast_fail(int error, const char* text) {
    set_last_error(text == nullptr ? "" : text);
    return error > 0 ? -error : error;
}

int holdfast_init_options(holdfast_options* options, size_t size) {
    return guarded([&] { init_options(options, size, default_options(), "holdfast_options"); });
}

int holdfast_new(const holdfast_options* options, holdfast_worker** worker) {
    constexpr std::string_view what = "create a worker";
    return guarded([&] {
        make_handle(worker, what, [&] {
            return add_handle<holdfast_worker>(std::make_unique<WorkerObject>(
                to_cpp(known_options(options, default_options(), what, "holdfast_init_options()"))));
        });
    });
}

int holdfast_free(holdfast_worker** worker) {
    return guarded([&] {
        if (not_null(worker, "free a worker", "the address of the handle") != nullptr) free_worker(worker);
    });
}

int holdfast_accepts(holdfast_worker* worker, holdfast_stage_callback stop, holdfast_stage_callback start, void* user) {
    constexpr std::string_view what = "add callbacks";
    return guarded([&] {
        const WorkerUse use(worker, what);
        use->worker.accepts(to_cpp(stop, user, what, "stop"), to_cpp(start, user, what, "start"));
    });
}

int holdfast_on_lame_duck(holdfast_worker* worker, holdfast_stage_callback callback, void* user) {
    return add_callback(worker, callback, user, &Worker::on_lame_duck);
}

int holdfast_on_pause(holdfast_worker* worker, holdfast_stage_callback callback, void* user) {
    return add_callback(worker, callback, user, &Worker::on_pause);
}

int holdfast_on_drain(holdfast_worker* worker, holdfast_stage_callback callback, void* user) {
    return add_callback(worker, callback, user, &Worker::on_drain);
}

int holdfast_on_run(holdfast_worker* worker, holdfast_stage_callback callback, void* user) {
    return add_callback(worker, callback, user, &Worker::on_run);
}

int holdfast_on_cancel(holdfast_worker* worker, holdfast_stage_callback callback, void* user) {
    return add_callback(worker, callback, user, &Worker::on_cancel);
}

int holdfast_on_released(holdfast_worker* worker, holdfast_stage_callback callback, void* user) {
    return add_callback(worker, callback, user, &Worker::on_released);
}

int holdfast_ready(holdfast_worker* worker) {
    return guarded([&] { WorkerUse(worker, "call ready()")->worker.ready(); });
}

int holdfast_stop_worker(holdfast_worker* worker) {
    return guarded([&] { WorkerUse(worker, "stop")->worker.stop(); });
}

int holdfast_wait(holdfast_worker* worker) {
    return guarded([&] { return BlockingWorkerUse(worker, "wait")->worker.wait(); });
}

int holdfast_fd(holdfast_worker* worker) {
    return guarded([&] { return WorkerUse(worker, "return a descriptor for an event loop")->worker.fd(); });
}

int holdfast_dispatch(holdfast_worker* worker) {
    return guarded([&] { BlockingWorkerUse(worker, "dispatch")->worker.dispatch(); });
}

int holdfast_result(holdfast_worker* worker) {
    return guarded([&] {
        if (const std::optional<int> status = WorkerUse(worker, "return the result")->worker.result()) return *status;
        set_last_error("cannot return the result: the worker has not released everything; continue to dispatch");
        return -EAGAIN;
    });
}

int holdfast_draining(const holdfast_worker* worker) {
    return guarded([&] { return WorkerUse(worker, "check whether the worker is leaving")->worker.draining() ? 1 : 0; });
}

int holdfast_deadline(holdfast_worker* worker, int64_t* deadline_usec) {
    constexpr std::string_view what = "return the deadline";
    return guarded([&] {
        const auto deadline = WorkerUse(worker, what)->worker.deadline();
        not_null(deadline_usec, what, "deadline_usec") = deadline ? usec_of(*deadline) : -1;
    });
}

int holdfast_remaining(holdfast_worker* worker, int64_t* remaining_usec) {
    constexpr std::string_view what = "return the remaining time";
    return guarded([&] {
        const auto deadline = WorkerUse(worker, what)->worker.deadline();
        int64_t& remaining = not_null(remaining_usec, what, "remaining_usec");
        remaining = deadline ? std::max<int64_t>(0, usec_of(*deadline) - usec_of(Worker::Clock::now())) : -1;
    });
}

int holdfast_is_supervised(holdfast_worker* worker) {
    return guarded([&] { return WorkerUse(worker, "check for a supervisor")->worker.is_supervised() ? 1 : 0; });
}

int holdfast_keep_alive_min(holdfast_worker* worker, int64_t* milliseconds) {
    constexpr std::string_view what = "return keep_alive_min";
    return guarded([&] {
        const auto found = WorkerUse(worker, what)->worker.keep_alive_min();
        not_null(milliseconds, what, "milliseconds") = found.count();
    });
}
