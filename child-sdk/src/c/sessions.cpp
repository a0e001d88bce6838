#include "callbacks.hpp"
#include "diagnostics.hpp"
#include "worker_use.hpp"

namespace {

using namespace holdfast::c;

// noexcept: an exception that leaves a std::stop_callback would terminate the process. Errors are logged.
void notify_leave(holdfast_callback callback, void* user) noexcept {
    const int error = guarded([&] { call<CallbackKind::plain>(callback, user); });
    if (error != 0) holdfast::log_error("cannot ask a session to leave: " + std::string(last_error()));
}

// Waits for a callback that runs on another thread. If the callback is only being added, the thread that adds it
// destroys it.
void remove_callback(SessionObject& session) {
    if (session.callback == SessionObject::Callback::added) session.on_leave.reset();
}

}  // namespace

int holdfast_begin_session(holdfast_worker* worker, const char* name, int64_t leave_within_ms,
                           holdfast_session** session) {
    constexpr std::string_view what = "begin a session";
    return guarded(
        [&] {
            make_handle(session, what, [&] {
                std::optional<std::chrono::milliseconds> within;
                if (leave_within_ms != -1) within = duration(leave_within_ms, what);
                const WorkerUse use(worker, what);
                return add_handle<holdfast_session>(
                    std::make_unique<SessionObject>(use->worker.begin_session(&not_null(name, what, "name"), within)));
            });
        },
        misuse_of(ESHUTDOWN));
}

int holdfast_end_session(holdfast_session** session) {
    constexpr std::string_view what = "end a session";
    return guarded([&] {
        if (not_null(session, what, "the address of the handle") == nullptr) return;
        const auto ended = end(session, what);
        remove_callback(*ended);
    });
}

int holdfast_session_has_to_leave(const holdfast_session* session) {
    return guarded([&] {
        const auto used = pin(session, "check whether a session has to leave");
        return used->session.stop_token().stop_requested() ? 1 : 0;
    });
}

int holdfast_session_on_leave(holdfast_session* session, holdfast_callback callback, void* user) {
    constexpr std::string_view what = "add a callback to a session";
    return guarded([&] {
        const auto function = &not_null(callback, what, "callback");
        const auto used = pin(session, what);
        auto state = SessionObject::Callback::none;
        if (!used->callback.compare_exchange_strong(state, SessionObject::Callback::being_added)) {
            throw std::logic_error(
                "cannot add a callback to a session: it already has one, which is the limit; combine the two");
        }
        used->on_leave.emplace(used->session.stop_token(), [function, user] { notify_leave(function, user); });
        used->callback = SessionObject::Callback::added;
    });
}

int holdfast_session_set_name(holdfast_session* session, const char* name) {
    constexpr std::string_view what = "set the name of a session";
    return guarded([&] {
        const auto used = pin(session, what);
        used->session.set_name(&not_null(name, what, "name"));
    });
}

int holdfast_session_set_leave_within(holdfast_session* session, int64_t leave_within_ms) {
    constexpr std::string_view what = "set the time that a session has to leave";
    return guarded([&] {
        const auto used = pin(session, what);
        used->session.set_leave_within(duration(leave_within_ms, what));
    });
}

int holdfast_session_deadline(const holdfast_session* session, int64_t* deadline_usec) {
    constexpr std::string_view what = "return the deadline of a session";
    return guarded([&] {
        const auto deadline = pin(session, what)->session.deadline();
        not_null(deadline_usec, what, "deadline_usec") = deadline ? usec_of(*deadline) : -1;
    });
}
