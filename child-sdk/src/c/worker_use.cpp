#include "worker_use.hpp"

#include <string>

#include "callbacks.hpp"

namespace holdfast::c {

namespace {

// Every use that began before the handle ended is counted; a count that is zero now belongs to none of them.
void wait_for_uses() {
    for (const ThreadState* thread = ThisThread::first(); thread != nullptr; thread = thread->next) {
        while (thread->uses != 0) std::this_thread::yield();
    }
}

constexpr std::string_view freeing = "free a worker";

bool is_in_child(const WorkerObject& worker) { return worker.pid != ::getpid(); }

void refuse_if_in_use(const WorkerObject& worker) {
    if (is_in_child(worker)) return;  // the other threads do not exist there
    if (worker.waiters != 0) {
        throw Refused(EBUSY,
                      "cannot free a worker: a thread is in holdfast_wait() or holdfast_dispatch(); free the worker "
                      "after it has returned");
    }
    if (worker.acceptors != 0) {
        throw Refused(EBUSY, "cannot free a worker: " + std::to_string(worker.acceptors) +
                                 " of its acceptors exist; free them first, with holdfast_free_acceptor()");
    }
}

}  // namespace

// The count is written before the handle is checked, and holdfast_free() ends the handle before it reads the counts:
// one of the two sees the other.
WorkerUse::WorkerUse(const holdfast_worker* handle, std::string_view what)
    : uses_before_(thread_->uses.load(std::memory_order_relaxed)) {
    const std::uint64_t number = number_of_handle(handle);
    HandleEntry* entry = entry_of(handle);
    if (entry == nullptr) refuse_handle(number, Kind::worker, what, "worker");
    thread_->uses.store(uses_before_ + 1);
    const HandleEntry::Now now = entry->check(number);
    is_counted_ = now == HandleEntry::Now::valid;
    if (!is_counted_) thread_->uses.store(uses_before_);
    const bool is_waited_for = now == HandleEntry::Now::ended && CallbackScope::is_in(CallbackKind::joined);
    if (!is_counted_ && !is_waited_for) refuse_handle(number, Kind::worker, what, "worker");
    worker_ = static_cast<WorkerObject*>(entry->object());
}

namespace {

// The count is kept from before the use ends, so that holdfast_free() sees one of the two.
WorkerObject& begin_blocking(const holdfast_worker* handle, std::string_view what) {
    if (CallbackScope::is_in_any()) {
        throw Refused(EPERM, "cannot " + std::string(what) +
                                 " in a callback or a task: it would wait for itself; call it in the thread that "
                                 "created the worker");
    }
    const WorkerUse use(handle, what);
    ++use->waiters;
    return *use;
}

}  // namespace

BlockingWorkerUse::BlockingWorkerUse(const holdfast_worker* handle, std::string_view what)
    : worker_(&begin_blocking(handle, what)) {}

void free_worker(holdfast_worker** handle) {
    if (CallbackScope::is_in_any()) {
        throw Refused(
            EPERM,
            "cannot free a worker in a callback or a task, which it would wait for; call holdfast_stop_worker() "
            "here, and holdfast_free() after holdfast_wait() has returned");
    }
    refuse_if_in_use(*WorkerUse(*handle, freeing));
    const std::uint64_t number = number_of_handle(*handle);
    HandleEntry& entry = *entry_of(*handle);
    if (!entry.end(number)) refuse_handle(number, Kind::worker, freeing, "worker");
    auto* worker = static_cast<WorkerObject*>(entry.object());
    if (!is_in_child(*worker)) wait_for_uses();
    try {
        refuse_if_in_use(*worker);
    } catch (...) {
        entry.revive();
        throw;
    }
    delete worker;
    std::ignore = entry.unpin();
    entry.retire();
    handle_table().give_back(*ThisThread(), number);
    *handle = nullptr;
}

}  // namespace holdfast::c
