#pragma once

#pragma GCC visibility push(default)
#include <holdfast.h>
#pragma GCC visibility pop

#include <unistd.h>

#include <holdfast/acceptor.hpp>
#include <holdfast/worker.hpp>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "guard.hpp"

// The objects behind the opaque handles.

struct holdfast_worker {
    explicit holdfast_worker(holdfast::WorkerOptions options) : worker(std::move(options)) {}

    const pid_t pid = ::getpid();
    // The holdfast_users of this worker: any other number is an error.
    std::mutex mutex;
    std::map<holdfast_user, holdfast::Resource> resources;
    std::map<holdfast_user, holdfast::Task> tasks;
    holdfast::Worker worker;  // last: its tasks may use the other members until it is destroyed
};

struct holdfast_listener {
    holdfast::Listener listener;
};

struct holdfast_acceptor {
    holdfast_acceptor(holdfast::Worker& worker, holdfast::Listener listener, holdfast::Acceptor::Accepted accepted)
        : acceptor(worker, std::move(listener), std::move(accepted)) {}

    const pid_t pid = ::getpid();
    holdfast::Acceptor acceptor;
};

struct holdfast_session;

namespace holdfast::c {

// The errno of a std::logic_error: `usual`, but EPERM in a forked child.
inline auto misuse_of(const holdfast_worker* worker, int usual) {
    return [worker, usual] { return worker == nullptr || ::getpid() == worker->pid ? usual : EPERM; };
}

holdfast_session* make_session(Session session);

// Deletes what `handle` points to and sets it to NULL.
template <class Handle>
void end_handle(Handle** handle, std::string_view what) {
    delete std::exchange(not_null(handle, what, "the address of the handle"), nullptr);
}

// Creates an object and stores its handle; NULL if that fails.
template <class Handle, class Make>
void make_handle(Handle** handle, std::string_view what, Make make) {
    not_null(handle, what, "the address of the handle") = nullptr;
    *handle = make();
}

}  // namespace holdfast::c
