#include <new>

#include "diagnostics.hpp"
#include "handles.hpp"

// A Request is a single pointer, and the handle is that pointer, so that a request allocates nothing in C either.
static_assert(std::is_standard_layout_v<holdfast::Request> && sizeof(holdfast::Request) == sizeof(void*));

// The callback is destroyed before the session; its destructor waits for a call that runs on another thread.
struct holdfast_session {
    explicit holdfast_session(holdfast::Session begun) : session(std::move(begun)) {}

    holdfast::Session session;
    // The callback may end its own session while it is being added: immediately on the adding thread, or on the thread
    // that requests the stop. The adding thread then deletes the session.
    std::recursive_mutex mutex;
    bool is_adding = false;
    bool is_over = false;
    std::optional<std::stop_callback<std::function<void()>>> on_leave;
};

struct holdfast_work {
    holdfast::Work work;
};

namespace {

using namespace holdfast::c;

// A Request whose destructor is not called, because the handle ends it.
class UnmanagedRequest {
  public:
    explicit UnmanagedRequest(holdfast::Request request) { new (&request_) holdfast::Request(std::move(request)); }
    explicit UnmanagedRequest(void* slot) {
        new (&request_) holdfast::Request();
        this->slot() = slot;
    }
    ~UnmanagedRequest() {}  // NOLINT: a union member with a destructor needs one that does nothing
    UnmanagedRequest(const UnmanagedRequest&) = delete;
    UnmanagedRequest& operator=(const UnmanagedRequest&) = delete;

    holdfast::Request& request() { return request_; }
    void*& slot() { return *reinterpret_cast<void**>(&request_); }  // the first member of a standard-layout class

  private:
    union {
        holdfast::Request request_;
    };
};

// noexcept: an exception that leaves a std::stop_callback would terminate the process. Errors are logged.
void notify_leave(holdfast_callback callback, void* user) noexcept {
    const int error = guarded([&] { call(callback, user); });
    if (error != 0) holdfast::log_error("cannot ask a session to leave: " + std::string(last_error()));
}

}  // namespace

namespace holdfast::c {

holdfast_session* make_session(Session session) { return new holdfast_session(std::move(session)); }

}  // namespace holdfast::c

int holdfast_begin_request(holdfast_worker* worker, const char* name, holdfast_request** request) {
    constexpr std::string_view what = "begin a request";
    return guarded(
        [&] {
            make_handle(request, what, [&] {
                holdfast::Worker& counting = not_null(worker, what, "worker").worker;
                UnmanagedRequest begun(counting.begin_request(&not_null(name, what, "name")));
                return static_cast<holdfast_request*>(begun.slot());
            });
        },
        misuse_of(worker, ESHUTDOWN));
}

int holdfast_end_request(holdfast_request** request) {
    return guarded([&] {
        void* slot = std::exchange(not_null(request, "end a request", "the address of the handle"), nullptr);
        UnmanagedRequest(slot).request().end();
    });
}

int holdfast_begin_session(holdfast_worker* worker, const char* name, int64_t leave_within_ms,
                           holdfast_session** session) {
    constexpr std::string_view what = "begin a session";
    return guarded(
        [&] {
            make_handle(session, what, [&] {
                std::optional<std::chrono::milliseconds> within;
                if (leave_within_ms != -1) within = duration(leave_within_ms, what);
                holdfast::Worker& counting = not_null(worker, what, "worker").worker;
                return make_session(counting.begin_session(&not_null(name, what, "name"), within));
            });
        },
        misuse_of(worker, ESHUTDOWN));
}

int holdfast_end_session(holdfast_session** session) {
    constexpr std::string_view what = "end a session";
    return guarded([&] {
        holdfast_session* ended = not_null(session, what, "the address of the handle");
        if (ended != nullptr) {
            const std::lock_guard lock(ended->mutex);
            ended->is_over = ended->is_adding;
            if (ended->is_over) *session = nullptr;
        }
        end_handle(session, what);
    });
}

int holdfast_session_has_to_leave(const holdfast_session* session) {
    return guarded([&] {
        const auto& asked = not_null(session, "check whether a session has to leave", "session").session;
        return asked.stop_token().stop_requested() ? 1 : 0;
    });
}

int holdfast_session_on_leave(holdfast_session* session, holdfast_callback callback, void* user) {
    constexpr std::string_view what = "add a callback to a session";
    return guarded([&] {
        const auto function = &not_null(callback, what, "callback");
        not_null(session, what, "session");
        std::unique_lock lock(session->mutex);
        if (session->on_leave) {
            throw std::logic_error(
                "cannot add a callback to a session: it already has one, which is the limit; combine the two");
        }
        session->is_adding = true;
        session->on_leave.emplace(session->session.stop_token(), [function, user] { notify_leave(function, user); });
        session->is_adding = false;
        const bool is_over = session->is_over;
        lock.unlock();
        if (is_over) delete session;
    });
}

int holdfast_session_deadline(const holdfast_session* session, int64_t* deadline_usec) {
    constexpr std::string_view what = "return the deadline of a session";
    return guarded([&] {
        const auto deadline = not_null(session, what, "session").session.deadline();
        not_null(deadline_usec, what, "deadline_usec") = deadline ? usec_of(*deadline) : -1;
    });
}

int holdfast_hold_work(holdfast_worker* worker, const char* name, holdfast_callback hand_back, void* user,
                       holdfast_work** work) {
    constexpr std::string_view what = "hold work";
    return guarded(
        [&] {
            make_handle(work, what, [&] {
                holdfast::Worker& counting = not_null(worker, what, "worker").worker;
                const auto function = &not_null(hand_back, what, "hand_back");
                auto handle = std::make_unique<holdfast_work>();
                handle->work =
                    counting.hold_work(&not_null(name, what, "name"), [function, user] { call(function, user); });
                return handle.release();
            });
        },
        misuse_of(worker, ESHUTDOWN));
}

int holdfast_claim_work(holdfast_work* work) {
    return guarded(
        [&] { return not_null(work, "claim work", "work").work.claim() == holdfast::Work::Outcome::ours ? 1 : 0; });
}

int holdfast_finish_work(holdfast_work** work) {
    constexpr std::string_view what = "finish work";
    return guarded([&] {
        not_null(not_null(work, what, "the address of the handle"), what, "work");
        const std::unique_ptr<holdfast_work> ended(std::exchange(*work, nullptr));
        return ended->work.finish() == holdfast::Work::Outcome::ours ? 1 : 0;
    });
}

int holdfast_drop_work(holdfast_work** work) {
    return guarded([&] { end_handle(work, "drop work"); });
}
