#include "users.hpp"

namespace holdfast::c {

holdfast_user number_of(User user) {
    constexpr unsigned bits_of_id = 32;
    return (static_cast<holdfast_user>(user.kind()) + 1) << bits_of_id | user.id();
}

Resource& resource_of(holdfast_worker& worker, holdfast_user number) {
    const auto found = worker.resources.find(number);
    if (found != worker.resources.end()) return found->second;
    refuse("use a resource",
           "there is none with the number " + std::to_string(number) +
               "; pass a value that holdfast_resource() or holdfast_close_last() stored for this worker");
}

User user_of(const holdfast_worker& worker, holdfast_user number) {
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
    if (const auto task = worker.tasks.find(number); task != worker.tasks.end()) return task->second;
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
            not_null(worker, what, "worker");
            const auto function = &not_null(close, what, "close");
            const holdfast::Resource made =
                (worker->worker.*add)(&not_null(name, what, "name"), [function, user] { call(function, user); });
            const holdfast_user number = number_of(made);
            const std::lock_guard lock(worker->mutex);
            worker->resources.emplace(number, made);
            if (resource != nullptr) *resource = number;
        },
        misuse_of(worker, ESHUTDOWN));
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
        const std::lock_guard lock(not_null(worker, "use a resource", "worker").mutex);
        const holdfast::User added = user_of(*worker, user);
        resource_of(*worker, resource).used_by(added);
    });
}

int holdfast_close_within(holdfast_worker* worker, holdfast_user resource, int64_t milliseconds) {
    return guarded([&] {
        const std::lock_guard lock(not_null(worker, "set the timeout of a close", "worker").mutex);
        resource_of(*worker, resource).within(duration(milliseconds, "set the timeout of a close"));
    });
}
