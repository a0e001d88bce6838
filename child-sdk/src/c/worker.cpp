#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "handles.hpp"
#include "version.hpp"

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
        return options;
    }();
    return defaults;
}

// The options that the program set, with defaults for the rest. Unknown options that are set must not be ignored.
holdfast_options known_options(const holdfast_options* given) {
    holdfast_options options = default_options();
    if (given == nullptr) return options;
    if (given->size < sizeof given->size) {
        refuse("create a worker", "the size of the options is 0; initialise them with holdfast_init_options()");
    }
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    if (given->size > sizeof options &&
        std::any_of(bytes + sizeof options, bytes + given->size, [](unsigned char byte) { return byte != 0; })) {
        throw std::system_error(E2BIG, std::generic_category(),
                                "cannot create a worker: an option is set that this library (" +
                                    std::string(holdfast::sdk_version) + ") does not know; install a newer version");
    }
    std::memcpy(&options, given, std::min(given->size, sizeof options));
    return options;
}

WorkerOptions::Drive drive_of(int drive) {
    if (drive == holdfast_drive_helper_thread) return WorkerOptions::Drive::helper_thread;
    if (drive == holdfast_drive_dispatch) return WorkerOptions::Drive::dispatch;
    refuse("create a worker", "drive is " + std::to_string(drive) + "; use one of enum holdfast_drive");
}

void run_posted(void* argument) {
    const std::unique_ptr<std::function<void()>> function(static_cast<std::function<void()>*>(argument));
    (*function)();
}

std::function<void(std::function<void()>)> posting(const holdfast_options& options) {
    if (options.post == nullptr) return {};
    return [post = options.post, user = options.post_user](std::function<void()> function) {
        auto kept = std::make_unique<std::function<void()>>(std::move(function));
        call(post, run_posted, static_cast<void*>(kept.get()), user);
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
    return made;
}

Worker& of(holdfast_worker* worker, std::string_view what) { return not_null(worker, what, "worker").worker; }

template <class Add>
int add_callback(holdfast_worker* worker, holdfast_stage_callback callback, void* user, Add add) noexcept {
    constexpr std::string_view what = "add a callback";
    return guarded([&] {
        const auto function = &not_null(callback, what, "callback");
        (of(worker, what).*add)(holdfast::Callback(
            [function, user](std::chrono::microseconds remaining) { call(function, remaining.count(), user); }));
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
    return guarded([&] {
        constexpr std::string_view what = "set the options to their defaults";
        not_null(options, what, "options");
        if (size < sizeof options->size) refuse(what, "size is too small; pass sizeof(holdfast_options)");
        std::memset(static_cast<void*>(options), 0, size);
        std::memcpy(options, &default_options(), std::min(size, sizeof *options));
        options->size = size;
    });
}

int holdfast_new(const holdfast_options* options, holdfast_worker** worker) {
    return guarded([&] {
        make_handle(worker, "create a worker", [&] { return new holdfast_worker(to_cpp(known_options(options))); });
    });
}

int holdfast_free(holdfast_worker** worker) {
    return guarded([&] { end_handle(worker, "free a worker"); });
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
    return guarded([&] { of(worker, "call ready()").ready(); });
}

int holdfast_stop_worker(holdfast_worker* worker) {
    return guarded([&] { of(worker, "stop").stop(); });
}

int holdfast_wait(holdfast_worker* worker) {
    return guarded([&] { return of(worker, "wait").wait(); });
}

int holdfast_fd(holdfast_worker* worker) {
    return guarded([&] { return of(worker, "return a descriptor for an event loop").fd(); });
}

int holdfast_dispatch(holdfast_worker* worker) {
    return guarded([&] { of(worker, "dispatch").dispatch(); });
}

int holdfast_result(holdfast_worker* worker) {
    return guarded([&] {
        if (const std::optional<int> status = of(worker, "return the result").result()) return *status;
        set_last_error("cannot return the result: the worker has not released everything; continue to dispatch");
        return -EAGAIN;
    });
}

int holdfast_draining(const holdfast_worker* worker) {
    if (worker != nullptr) return worker->worker.draining() ? 1 : 0;  // called for every request
    return guarded([&] { not_null(worker, "check whether the worker is leaving", "worker"); });
}

int holdfast_deadline(holdfast_worker* worker, int64_t* deadline_usec) {
    constexpr std::string_view what = "return the deadline";
    return guarded([&] {
        const auto deadline = of(worker, what).deadline();
        not_null(deadline_usec, what, "deadline_usec") = deadline ? usec_of(*deadline) : -1;
    });
}

int holdfast_remaining(holdfast_worker* worker, int64_t* remaining_usec) {
    constexpr std::string_view what = "return the remaining time";
    return guarded([&] {
        const auto deadline = of(worker, what).deadline();
        int64_t& remaining = not_null(remaining_usec, what, "remaining_usec");
        remaining = deadline ? std::max<int64_t>(0, usec_of(*deadline) - usec_of(Worker::Clock::now())) : -1;
    });
}

int holdfast_is_supervised(holdfast_worker* worker) {
    return guarded([&] { return of(worker, "check for a supervisor").is_supervised() ? 1 : 0; });
}

int holdfast_keep_alive_min(holdfast_worker* worker, int64_t* milliseconds) {
    constexpr std::string_view what = "return keep_alive_min";
    return guarded([&] { not_null(milliseconds, what, "milliseconds") = of(worker, what).keep_alive_min().count(); });
}
