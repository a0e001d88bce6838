#include <holdfast/keep_alive.hpp>

#include "diagnostics.hpp"
#include "handles.hpp"

namespace {

using namespace holdfast::c;

constexpr std::string_view what = "use a listener";

const holdfast::Listener& of(const holdfast_listener* listener) {
    return not_null(listener, what, "listener").listener;
}

// For functions that return a string: "" if the call fails; the error message is set.
template <class Text>
const char* guarded_text(Text text) noexcept {
    const char* found = "";
    guarded([&] { found = text(); });
    return found;
}

// Misuse means EPERM in a forked child, else that no listener matches.
template <class Find>
int find(holdfast_worker* worker, holdfast_listener** listener, Find find) {
    return guarded(
        [&] {
            make_handle(listener, "listen",
                        [&] { return new holdfast_listener{find(not_null(worker, "listen", "worker").worker)}; });
        },
        misuse_of(worker, ENOENT));
}

// noexcept: an exception on the accepting thread would terminate the process.
void deliver_connection(holdfast_accepted accepted, int fd, holdfast::Session connection, void* user) noexcept {
    holdfast_session* session = nullptr;
    const int error = guarded([&] {
        session = make_session(std::move(connection));
        call(accepted, fd, session, user);
    });
    if (session == nullptr) ::close(fd);
    if (error < 0) holdfast::log_error("a callback for an accepted connection failed: " + std::string(last_error()));
}

}  // namespace

int holdfast_listen(holdfast_worker* worker, const char* name, const char* address, holdfast_listener** listener) {
    return find(worker, listener, [&](holdfast::Worker& found) {
        return found.listen(&not_null(name, "listen", "name"), &not_null(address, "listen", "address"));
    });
}

int holdfast_take_listener(holdfast_worker* worker, const char* name_or_address, holdfast_listener** listener) {
    return find(worker, listener, [&](holdfast::Worker& found) {
        return name_or_address == nullptr ? found.listener() : found.listener(name_or_address);
    });
}

int holdfast_listener_fd(const holdfast_listener* listener) {
    return guarded([&] { return of(listener).fd(); });
}

int holdfast_listener_is_inherited(const holdfast_listener* listener) {
    return guarded([&] { return of(listener).origin() == holdfast::Origin::inherited ? 1 : 0; });
}

const char* holdfast_listener_name(const holdfast_listener* listener) {
    return guarded_text([&] { return of(listener).name().c_str(); });
}

const char* holdfast_listener_address(const holdfast_listener* listener) {
    return guarded_text([&] { return of(listener).address().c_str(); });
}

int holdfast_release_listener(holdfast_listener** listener) {
    return guarded([&] {
        of(not_null(listener, what, "the address of the handle"));
        const std::unique_ptr<holdfast_listener> ended(std::exchange(*listener, nullptr));
        return ended->listener.release();
    });
}

int holdfast_close_listener(holdfast_listener** listener) {
    return guarded([&] { end_handle(listener, "close a listener"); });
}

int holdfast_accept(holdfast_worker* worker, int listener_fd, holdfast_session** connection) {
    constexpr std::string_view accepting = "accept";
    return guarded(
        [&] {
            int fd = -1;
            make_handle(connection, accepting, [&]() -> holdfast_session* {
                auto counted = std::unique_ptr<holdfast_session, void (*)(holdfast_session*)>(
                    make_session(not_null(worker, accepting, "worker").worker.begin_session("connection")),
                    [](holdfast_session* session) { holdfast_end_session(&session); });
                fd = holdfast::accept_one(listener_fd);
                const int error = errno;
                if (fd >= 0) return counted.release();
                throw std::system_error(error, std::generic_category(),
                                        "cannot accept: poll(2) the listener and try again");
            });
            return fd;
        },
        misuse_of(worker, ESHUTDOWN));
}

int holdfast_accept_failed_for_long(int error) {
    return holdfast::accept_failed_for_long(error < 0 ? -error : error) ? 1 : 0;
}

int holdfast_start_acceptor(holdfast_worker* worker, holdfast_listener** listener, holdfast_accepted accepted,
                            void* user, holdfast_acceptor** acceptor) {
    constexpr std::string_view accepting = "start an acceptor";
    return guarded([&] {
        make_handle(acceptor, accepting, [&] {
            holdfast::Worker& found = not_null(worker, accepting, "worker").worker;
            const auto callee = &not_null(accepted, accepting, "accepted");
            not_null(not_null(listener, accepting, "the address of the listener"), accepting, "listener");
            const std::unique_ptr<holdfast_listener> taken(std::exchange(*listener, nullptr));
            return new holdfast_acceptor(found, std::move(taken->listener),
                                         [callee, user](int fd, holdfast::Session connection) {
                                             deliver_connection(callee, fd, std::move(connection), user);
                                         });
        });
    });
}

int holdfast_free_acceptor(holdfast_acceptor** acceptor) {
    constexpr std::string_view what_ends = "free an acceptor";
    return guarded([&] {
        holdfast_acceptor*& ended = not_null(acceptor, what_ends, "the address of the handle");
        // In a forked child the accepting thread does not exist and cannot be joined.
        if (ended != nullptr && ended->pid != ::getpid()) ended = nullptr;
        end_handle(acceptor, what_ends);
    });
}

int holdfast_has_bytes(int fd) { return holdfast::has_bytes(fd) ? 1 : 0; }

int holdfast_has_ended(int fd) { return holdfast::has_ended(fd) ? 1 : 0; }

int holdfast_half_close(int fd) {
    holdfast::half_close(fd);
    return 0;
}
