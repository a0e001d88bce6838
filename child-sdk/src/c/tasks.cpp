#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>

#include "handles.hpp"
#include "unique_fd.hpp"
#include "users.hpp"

// Lives on the stack of its task. The descriptor is created on demand.
struct holdfast_stop {
    explicit holdfast_stop(std::stop_token given) : token(std::move(given)) {}

    std::stop_token token;
    std::mutex mutex;
    std::condition_variable_any changed;
    holdfast::UniqueFd fd;
    std::optional<std::stop_callback<std::function<void()>>> on_stop;  // last: destroyed first
};

namespace {

using namespace holdfast::c;

int wait_for(holdfast_stop& stop, std::int64_t timeout_ms) {
    std::unique_lock lock(stop.mutex);
    const auto never = [] { return false; };  // only the token ends the wait
    if (timeout_ms == -1) {
        stop.changed.wait(lock, stop.token, never);
    } else {
        stop.changed.wait_for(lock, stop.token, duration(timeout_ms, "wait for a stop request"), never);
    }
    return stop.token.stop_requested() ? 1 : 0;
}

int make_fd(holdfast_stop& stop) {
    const std::lock_guard lock(stop.mutex);
    if (stop.fd) return stop.fd.get();
    holdfast::UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd) {
        throw std::system_error(errno, std::generic_category(),
                                "cannot create a descriptor for the stop token; use holdfast_stop_wait() instead");
    }
    stop.fd = std::move(fd);
    stop.on_stop.emplace(stop.token, [number = stop.fd.get()] { ::eventfd_write(number, 1); });
    return stop.fd.get();
}

}  // namespace

int holdfast_start_task(holdfast_worker* worker, const char* name, holdfast_task function, void* user,
                        holdfast_user* task) {
    constexpr std::string_view what = "start a task";
    return guarded(
        [&] {
            not_null(worker, what, "worker");
            const auto body = &not_null(function, what, "function");
            const auto run = [body, user](std::stop_token token) {
                holdfast_stop stop(std::move(token));
                call(body, &stop, user);
            };
            const holdfast::Task started = worker->worker.start_task(&not_null(name, what, "name"), run);
            const std::lock_guard lock(worker->mutex);
            const holdfast_user number = number_of(started);
            worker->tasks.emplace(number, started);
            if (task != nullptr) *task = number;
        },
        misuse_of(worker, ESHUTDOWN));
}

int holdfast_stop_requested(const holdfast_stop* stop) {
    return guarded([&] { return not_null(stop, "check for a stop request", "stop").token.stop_requested() ? 1 : 0; });
}

int holdfast_stop_wait(holdfast_stop* stop, int64_t timeout_ms) {
    return guarded([&] { return wait_for(not_null(stop, "wait for a stop request", "stop"), timeout_ms); });
}

int holdfast_stop_fd(holdfast_stop* stop) {
    return guarded([&] { return make_fd(not_null(stop, "create a descriptor for the stop token", "stop")); });
}
