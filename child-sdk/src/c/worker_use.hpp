#pragma once

#include <memory>
#include <string_view>

#include "handles.hpp"

// Use of a worker by a function of holdfast.h. holdfast_free() waits for the functions that are running, and later ones
// fail, so that a worker that is freed is never used.

namespace holdfast::c {

// Keeps the worker alive. Costs two atomic operations on a counter that few threads share, not one pin of a single
// entry that all share, because requests begin on all threads at once. Do not block while it exists.
class WorkerUse {
  public:
    WorkerUse(const holdfast_worker* handle, std::string_view what);
    ~WorkerUse();
    WorkerUse(const WorkerUse&) = delete;
    WorkerUse& operator=(const WorkerUse&) = delete;

    WorkerObject& operator*() const { return *worker_; }
    WorkerObject* operator->() const { return worker_; }

  private:
    std::atomic<int>* counter_ = nullptr;  // null: holdfast_free() waits for the callback that this thread is in
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
