#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "callbacks.hpp"
#include "sized_options.hpp"
#include "users.hpp"
#include "worker_use.hpp"

namespace {

using namespace holdfast::c;
using holdfast::TaskOptions;

constexpr std::string_view starting = "start a task";

int wait_for(StopObject& stop, std::int64_t timeout_ms) {
    std::unique_lock lock(stop.mutex);
    const auto never = [] { return false; };  // only the token ends the wait
    if (timeout_ms == -1) {
        stop.changed.wait(lock, stop.token, never);
    } else {
        stop.changed.wait_for(lock, stop.token, duration(timeout_ms, "wait for a stop request"), never);
    }
    return stop.token.stop_requested() ? 1 : 0;
}

int make_fd(StopObject& stop) {
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

// Runs the program's function with a stop token that is valid until it returns.
void run_task(holdfast_task function, void* user, std::stop_token token) {
    holdfast_stop* stop = add_handle<holdfast_stop>(std::make_unique<StopObject>(std::move(token)));
    const auto end_stop = [](holdfast_stop* ended) { end(&ended, "end a task"); };
    const std::unique_ptr<holdfast_stop, decltype(end_stop)> valid(stop, end_stop);
    call<CallbackKind::joined>(function, stop, user);
}

holdfast_task_options default_options() {
    holdfast_task_options options{};
    options.size = sizeof options;
    options.start = holdfast_task_start_at_ready;
    options.on_error = holdfast_task_on_error_stop;
    options.need = holdfast_task_need_optional;
    return options;
}

// Throws for a number that the enumeration does not have.
template <class Value>
Value one_of(int number, std::string_view field, std::initializer_list<Value> values) {
    if (number >= 0 && static_cast<std::size_t>(number) < values.size()) return values.begin()[number];
    refuse(starting, std::string(field) + " is " + std::to_string(number) + "; use one of enum holdfast_task_" +
                         std::string(field));
}

TaskOptions to_cpp(const holdfast_task_options& options) {
    TaskOptions made;
    made.start = one_of(options.start, "start", {TaskOptions::Start::at_ready, TaskOptions::Start::now});
    made.on_exception =
        one_of(options.on_error, "on_error",
               {TaskOptions::OnException::stop, TaskOptions::OnException::ignore, TaskOptions::OnException::abort});
    made.need = one_of(options.need, "need",
                       {TaskOptions::Need::optional, TaskOptions::Need::required, TaskOptions::Need::finite});
    return made;
}

}  // namespace

int holdfast_init_task_options(holdfast_task_options* options, size_t size) {
    return guarded([&] { init_options(options, size, default_options(), "holdfast_task_options"); });
}

int holdfast_start_task(holdfast_worker* worker, const char* name, holdfast_task function, void* user,
                        holdfast_user* task) {
    return holdfast_start_task_with(worker, name, function, user, nullptr, task);
}

int holdfast_start_task_with(holdfast_worker* worker, const char* name, holdfast_task function, void* user,
                             const holdfast_task_options* options, holdfast_user* task) {
    return guarded(
        [&] {
            const auto body = &not_null(function, starting, "function");
            const TaskOptions how =
                to_cpp(known_options(options, default_options(), starting, "holdfast_init_task_options()"));
            const WorkerUse use(worker, starting);
            const holdfast::User started = use->worker.start_task(
                &not_null(name, starting, "name"),
                [body, user](std::stop_token token) { run_task(body, user, std::move(token)); }, how);
            const std::lock_guard lock(use->mutex);
            use->last_task = std::max(use->last_task, started.id());
            if (task != nullptr) *task = number_of(started);
        },
        misuse_of(ESHUTDOWN));
}

int holdfast_stop_requested(const holdfast_stop* stop) {
    return guarded([&] { return pin(stop, "check for a stop request")->token.stop_requested() ? 1 : 0; });
}

int holdfast_stop_wait(holdfast_stop* stop, int64_t timeout_ms) {
    return guarded([&] { return wait_for(*pin(stop, "wait for a stop request"), timeout_ms); });
}

int holdfast_stop_fd(holdfast_stop* stop) {
    return guarded([&] { return make_fd(*pin(stop, "create a descriptor for the stop token")); });
}
