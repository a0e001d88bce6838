#pragma once

#include <memory>
#include <string_view>

#include "handles.hpp"

// Use of a worker by a function of holdfast.h. holdfast_free() waits for the functions that are running, and later ones
// fail, so that a worker that is freed is never used.

namespace holdfast::c {

// Keeps the worker alive. Costs one atomic operation, on a counter that only this thread writes, because requests begin
// on all threads at once. Do not block while it exists.
class WorkerUse {
  public:
    WorkerUse(const holdfast_worker* handle, std::string_view what);
    ~WorkerUse() {
        if (is_counted_) thread_->uses.store(uses_before_, std::memory_order_release);
    }
    WorkerUse(const WorkerUse&) = delete;
    WorkerUse& operator=(const WorkerUse&) = delete;

    WorkerObject& operator*() const { return *worker_; }
    WorkerObject* operator->() const { return worker_; }
    ThreadState& thread() const { return *thread_; }

  private:
    const ThisThread thread_;
    const int uses_before_;
    bool is_counted_ = false;  // else holdfast_free() waits for the callback that this thread is in
    WorkerObject* worker_ = nullptr;
};

// Use by a function that blocks or runs callbacks: holdfast_free() fails meanwhile.
class BlockingWorkerUse {
  public:
    BlockingWorkerUse(const holdfast_worker* handle, std::string_view what);
    ~BlockingWorkerUse() { --worker_->waiters; }
    BlockingWorkerUse(const BlockingWorkerUse&) = delete;
    BlockingWorkerUse& operator=(const BlockingWorkerUse&) = delete;

    WorkerObject* operator->() const { return worker_; }

  private:
    WorkerObject* const worker_;
};

// Frees the worker and sets the handle to NULL. Throws, and changes nothing, if that is not possible now.
void free_worker(holdfast_worker** handle);

}  // namespace holdfast::c
