#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace holdfast::api {

// Counts the changes that have no outcome yet, whether a client still waits for it or not. Each takes memory in the
// supervisor.
class PendingChanges {
  public:
    // One pending change: counted until close() or, if the callback that would close it is dropped, its destructor.
    class Entry {
      public:
        explicit Entry(std::shared_ptr<std::size_t> count) : count_(std::move(count)) { ++*count_; }
        ~Entry() { close(); }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        void close() {
            if (const auto count = std::exchange(count_, nullptr)) --*count;
        }

      private:
        std::shared_ptr<std::size_t> count_;
    };

    std::shared_ptr<Entry> add() { return std::make_shared<Entry>(count_); }
    std::size_t count() const { return *count_; }

  private:
    std::shared_ptr<std::size_t> count_ = std::make_shared<std::size_t>(0);
};

}  // namespace holdfast::api
