#include "callbacks.hpp"
#include "users.hpp"
#include "worker_use.hpp"

namespace holdfast::c {

holdfast_user number_of(User user) {
    constexpr unsigned bits_of_id = 32;
    return (static_cast<holdfast_user>(user.kind()) + 1) << bits_of_id | user.id();
}

Resource& resource_of(WorkerObject& worker, holdfast_user number) {
    const auto found = worker.resources.find(number);
    if (found != worker.resources.end()) return found->second;
    refuse("use a resource",
           "there is none with the number " + std::to_string(number) +
               "; pass a value that holdfast_resource() or holdfast_close_last() stored for this worker");
}

User user_of(const WorkerObject& worker, holdfast_user number) {
    switch (number) {
        case holdfast_all_requests:
            return requests;
        case holdfast_all_sessions:
            return sessions;
        case holdfast_all_work:
            return work;
        case holdfast_all_tasks:
            return tasks;
        default:
            break;
    }
    // A task that has ended uses nothing any more, so naming it has no effect.
    const User task(User::Kind::task, static_cast<std::uint32_t>(number));
    if (number == number_of(task) && task.id() != 0 && task.id() <= worker.last_task) return task;
    if (const auto used = worker.resources.find(number); used != worker.resources.end()) return used->second;
    refuse("use a resource", "there is no user with the number " + std::to_string(number) +
                                 "; pass one of enum holdfast_all, or a value that holdfast_start_task() or "
                                 "holdfast_resource() stored for this worker");
}

}  // namespace holdfast::c

namespace {

using namespace holdfast::c;

template <class Register>
int add_resource(holdfast_worker* worker, const char* name, holdfast_callback close, void* user,
                 holdfast_user* resource, Register add) noexcept {
    constexpr std::string_view what = "add a resource";
    return guarded(
        [&] {
            const auto function = &not_null(close, what, "close");
            const WorkerUse use(worker, what);
            const holdfast::Resource made = (use->worker.*add)(
                &not_null(name, what, "name"), [function, user] { call<CallbackKind::joined>(function, user); });
            const holdfast_user number = number_of(made);
            const std::lock_guard lock(use->mutex);
            use->resources.emplace(number, made);
            if (resource != nullptr) *resource = number;
        },
        misuse_of(ESHUTDOWN));
}

}  // namespace

int holdfast_resource(holdfast_worker* worker, const char* name, holdfast_callback close, void* user,
                      holdfast_user* resource) {
    return add_resource(worker, name, close, user, resource, &holdfast::Worker::resource);
}

int holdfast_close_last(holdfast_worker* worker, const char* name, holdfast_callback close, void* user,
                        holdfast_user* resource) {
    return add_resource(worker, name, close, user, resource, &holdfast::Worker::close_last);
}

int holdfast_used_by(holdfast_worker* worker, holdfast_user resource, holdfast_user user) {
    return guarded([&] {
        const WorkerUse use(worker, "use a resource");
        const std::lock_guard lock(use->mutex);
        const holdfast::User added = user_of(*use, user);
        resource_of(*use, resource).used_by(added);
    });
}

int holdfast_close_within(holdfast_worker* worker, holdfast_user resource, int64_t milliseconds) {
    return guarded([&] {
        constexpr std::string_view what = "set the timeout of a close";
        const WorkerUse use(worker, what);
        const std::lock_guard lock(use->mutex);
        resource_of(*use, resource).within(duration(milliseconds, what));
    });
}
