#include "worker_use.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "callbacks.hpp"

namespace holdfast::c {

namespace {

struct alignas(64) Counter {
    std::atomic<int> count = 0;
};

// Of all workers: a process has one at a time.
constinit std::array<Counter, 16> counters;

std::atomic<int>& counter_of_this_thread() {
    constinit thread_local char here = 0;
    constexpr std::uint64_t spread = 0x9e3779b97f4a7c15;
    constexpr unsigned to_upper_bits = 60;
    static_assert(std::uint64_t{1} << (64 - to_upper_bits) == counters.size());
    return counters.at((reinterpret_cast<std::uintptr_t>(&here) >> 6) * spread >> to_upper_bits).count;
}

// Every use that began before the handle ended is counted, and every counter was zero since then.
void wait_for_uses() {
    for (const Counter& counter : counters) {
        while (counter.count != 0) std::this_thread::yield();
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

WorkerUse::WorkerUse(const holdfast_worker* handle, std::string_view what) {
    const std::uint64_t number = number_of_handle(handle);
    HandleEntry* entry = entry_of(handle);
    if (entry != nullptr) {
        counter_ = &counter_of_this_thread();
        counter_->fetch_add(1);
        const HandleEntry::Now now = entry->check(number);
        if (now != HandleEntry::Now::valid) {
            counter_->fetch_sub(1);
            counter_ = nullptr;
        }
        const bool is_waited_for = now == HandleEntry::Now::ended && CallbackScope::is_in(CallbackKind::joined);
        if (now == HandleEntry::Now::valid || is_waited_for) {
            worker_ = static_cast<WorkerObject*>(entry->object());
            return;
        }
    }
    refuse_handle(number, Kind::worker, what, "worker");
}

WorkerUse::~WorkerUse() {
    if (counter_ != nullptr) counter_->fetch_sub(1, std::memory_order_release);
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
    handle_table().give_back(number);
    *handle = nullptr;
}

}  // namespace holdfast::c
