#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace holdfast::api {

// How many changes were asked for and have no outcome yet, whether somebody still waits for it or not: the supervisor
// keeps something of each.
class PendingChanges {
  public:
    // One of them, until it is closed; or until nobody can close it any more.
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
