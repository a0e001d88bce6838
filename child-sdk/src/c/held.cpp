#include <new>

#include "complaint.hpp"
#include "handles.hpp"

// A Request is one pointer; the handle is that pointer, so that a request costs no allocation in C either.
static_assert(std::is_standard_layout_v<holdfast::Request> && sizeof(holdfast::Request) == sizeof(void*));

// The callback ends before the session: its destructor waits for one that runs on another thread.
struct holdfast_session {
    explicit holdfast_session(holdfast::Session begun) : session(std::move(begun)) {}

    holdfast::Session session;
    // The callback may end the session that it belongs to, while it is still being added: at once on the adding thread,
    // or on the one that tells. Then the adding thread deletes it.
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

// A Request whose destructor is not called: the handle ends it.
class Unended {
  public:
    explicit Unended(holdfast::Request request) { new (&request_) holdfast::Request(std::move(request)); }
    explicit Unended(void* slot) {
        new (&request_) holdfast::Request();
        this->slot() = slot;
    }
    ~Unended() {}  // NOLINT: a union member with a destructor needs one that does nothing
    Unended(const Unended&) = delete;
    Unended& operator=(const Unended&) = delete;

    holdfast::Request& request() { return request_; }
    void*& slot() { return *reinterpret_cast<void**>(&request_); }  // the first member of a standard-layout class

  private:
    union {
        holdfast::Request request_;
    };
};

// Reported by the SDK; what a callback of std::stop_callback throws would end the process.
void tell_to_leave(holdfast_callback callback, void* user) noexcept {
    const int error = guarded([&] { call(callback, user); });
    if (error != 0) holdfast::complain("cannot tell a session to leave: " + std::string(last_error()));
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
                holdfast::Worker& counting = needed(worker, what, "worker").worker;
                Unended begun(counting.begin_request(&needed(name, what, "name")));
                return static_cast<holdfast_request*>(begun.slot());
            });
        },
        misuse_of(worker, ESHUTDOWN));
}

int holdfast_end_request(holdfast_request** request) {
    return guarded([&] {
        void* slot = std::exchange(needed(request, "end a request", "the address of the handle"), nullptr);
        Unended(slot).request().end();
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
                holdfast::Worker& counting = needed(worker, what, "worker").worker;
                return make_session(counting.begin_session(&needed(name, what, "name"), within));
            });
        },
        misuse_of(worker, ESHUTDOWN));
}

int holdfast_end_session(holdfast_session** session) {
    constexpr std::string_view what = "end a session";
    return guarded([&] {
        holdfast_session* ended = needed(session, what, "the address of the handle");
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
        const auto& asked = needed(session, "ask whether a session has to leave", "session").session;
        return asked.stop_token().stop_requested() ? 1 : 0;
    });
}

int holdfast_session_on_leave(holdfast_session* session, holdfast_callback callback, void* user) {
    constexpr std::string_view what = "add a callback to a session";
    return guarded([&] {
        const auto function = &needed(callback, what, "callback");
        needed(session, what, "session");
        std::unique_lock lock(session->mutex);
        if (session->on_leave) {
            throw std::logic_error("cannot add a callback to a session: it has one; do both in that one");
        }
        session->is_adding = true;
        session->on_leave.emplace(session->session.stop_token(), [function, user] { tell_to_leave(function, user); });
        session->is_adding = false;
        const bool is_over = session->is_over;
        lock.unlock();
        if (is_over) delete session;
    });
}

int holdfast_session_deadline(const holdfast_session* session, int64_t* deadline_usec) {
    constexpr std::string_view what = "tell the deadline of a session";
    return guarded([&] {
        const auto deadline = needed(session, what, "session").session.deadline();
        needed(deadline_usec, what, "deadline_usec") = deadline ? usec_of(*deadline) : -1;
    });
}

int holdfast_hold_work(holdfast_worker* worker, const char* name, holdfast_callback hand_back, void* user,
                       holdfast_work** work) {
    constexpr std::string_view what = "hold work";
    return guarded(
        [&] {
            make_handle(work, what, [&] {
                holdfast::Worker& counting = needed(worker, what, "worker").worker;
                const auto function = &needed(hand_back, what, "hand_back");
                auto handle = std::make_unique<holdfast_work>();
                handle->work =
                    counting.hold_work(&needed(name, what, "name"), [function, user] { call(function, user); });
                return handle.release();
            });
        },
        misuse_of(worker, ESHUTDOWN));
}

int holdfast_claim_work(holdfast_work* work) {
    return guarded(
        [&] { return needed(work, "claim work", "work").work.claim() == holdfast::Work::Outcome::ours ? 1 : 0; });
}

int holdfast_finish_work(holdfast_work** work) {
    constexpr std::string_view what = "finish work";
    return guarded([&] {
        needed(needed(work, what, "the address of the handle"), what, "work");
        const std::unique_ptr<holdfast_work> ended(std::exchange(*work, nullptr));
        return ended->work.finish() == holdfast::Work::Outcome::ours ? 1 : 0;
    });
}

int holdfast_drop_work(holdfast_work** work) {
    return guarded([&] { end_handle(work, "drop work"); });
}
