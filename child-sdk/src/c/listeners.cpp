#include <holdfast/keep_alive.hpp>

#include "callbacks.hpp"
#include "diagnostics.hpp"
#include "worker_use.hpp"

namespace {

using namespace holdfast::c;

constexpr std::string_view what = "use a listener";

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
            make_handle(listener, "listen", [&] {
                const WorkerUse use(worker, "listen");
                return add_handle<holdfast_listener>(
                    std::make_unique<ListenerObject>(ListenerObject{find(use->worker)}));
            });
        },
        misuse_of(ENOENT));
}

holdfast_session* begin_connection(holdfast_worker* worker, std::string_view accepting) {
    const WorkerUse use(worker, accepting);
    return add_handle<holdfast_session>(std::make_unique<SessionObject>(use->worker.begin_session("connection")));
}

// noexcept: an exception on the accepting thread would terminate the process.
void deliver_connection(holdfast_accepted accepted, int fd, holdfast::Session connection, void* user) noexcept {
    holdfast_session* session = nullptr;
    const int error = guarded([&] {
        session = add_handle<holdfast_session>(std::make_unique<SessionObject>(std::move(connection)));
        call<CallbackKind::accepting>(accepted, fd, session, user);
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
    return guarded([&] { return pin(listener, what)->listener.fd(); });
}

int holdfast_listener_is_inherited(const holdfast_listener* listener) {
    return guarded([&] { return pin(listener, what)->listener.origin() == holdfast::Origin::inherited ? 1 : 0; });
}

const char* holdfast_listener_name(const holdfast_listener* listener) {
    return guarded_text([&] { return pin(listener, what)->listener.name().c_str(); });
}

const char* holdfast_listener_address(const holdfast_listener* listener) {
    return guarded_text([&] { return pin(listener, what)->listener.address().c_str(); });
}

int holdfast_release_listener(holdfast_listener** listener) {
    return guarded([&] {
        not_null(listener, what, "the address of the handle");
        const auto ended = end(listener, what);
        ended.wait_until_alone();
        return ended->listener.release();
    });
}

int holdfast_close_listener(holdfast_listener** listener) {
    constexpr std::string_view closing = "close a listener";
    return guarded([&] {
        if (not_null(listener, closing, "the address of the handle") == nullptr) return;
        end(listener, closing).wait_until_alone();
    });
}

int holdfast_accept(holdfast_worker* worker, int listener_fd, holdfast_session** connection) {
    constexpr std::string_view accepting = "accept";
    return guarded(
        [&] {
            int fd = -1;
            make_handle(connection, accepting, [&] {
                holdfast_session* counted = begin_connection(worker, accepting);
                fd = holdfast::accept_one(listener_fd);
                const int error = errno;
                if (fd >= 0) return counted;
                end(&counted, accepting);
                throw std::system_error(error, std::generic_category(),
                                        "cannot accept: poll(2) the listener and try again");
            });
            return fd;
        },
        misuse_of(ESHUTDOWN));
}

int holdfast_accept_failed_for_long(int error) {
    return holdfast::accept_failed_for_long(error < 0 ? -error : error) ? 1 : 0;
}

int holdfast_start_acceptor(holdfast_worker* worker, holdfast_listener** listener, holdfast_accepted accepted,
                            void* user, holdfast_acceptor** acceptor) {
    constexpr std::string_view accepting = "start an acceptor";
    return guarded([&] {
        make_handle(acceptor, accepting, [&] {
            const auto callee = &not_null(accepted, accepting, "accepted");
            not_null(listener, accepting, "the address of the listener");
            const WorkerUse use(worker, accepting);
            const auto taken = end(listener, accepting);
            taken.wait_until_alone();
            return add_handle<holdfast_acceptor>(std::make_unique<AcceptorObject>(
                *use, std::move(taken->listener), [callee, user](int fd, holdfast::Session connection) {
                    deliver_connection(callee, fd, std::move(connection), user);
                }));
        });
    });
}

int holdfast_free_acceptor(holdfast_acceptor** acceptor) {
    constexpr std::string_view freeing = "free an acceptor";
    return guarded([&] {
        if (not_null(acceptor, freeing, "the address of the handle") == nullptr) return;
        if (CallbackScope::is_in(CallbackKind::accepting)) {
            throw Refused(EPERM,
                          "cannot free an acceptor in its callback, which it would wait for; call it after "
                          "holdfast_wait() has returned");
        }
        if (pin(*acceptor, freeing)->pid != ::getpid()) {
            *acceptor = nullptr;  // in a forked child the accepting thread does not exist and cannot be joined
            return;
        }
        end(acceptor, freeing);
    });
}

int holdfast_has_bytes(int fd) { return holdfast::has_bytes(fd) ? 1 : 0; }

int holdfast_has_ended(int fd) { return holdfast::has_ended(fd) ? 1 : 0; }

int holdfast_half_close(int fd) {
    holdfast::half_close(fd);
    return 0;
}
