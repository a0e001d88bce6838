#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace holdfast::api {

// How many changes were asked for and have no outcome yet, whether somebody still waits for it or not: the supervisor
// keeps something of each.
class OpenQuestions {
  public:
    // One of them, until it is closed; or until nobody can close it any more.
    class Question {
      public:
        explicit Question(std::shared_ptr<std::size_t> count) : count_(std::move(count)) { ++*count_; }
        ~Question() { close(); }
        Question(const Question&) = delete;
        Question& operator=(const Question&) = delete;
        void close() {
            if (const auto count = std::exchange(count_, nullptr)) --*count;
        }

      private:
        std::shared_ptr<std::size_t> count_;
    };

    std::shared_ptr<Question> ask() { return std::make_shared<Question>(count_); }
    std::size_t count() const { return *count_; }

  private:
    std::shared_ptr<std::size_t> count_ = std::make_shared<std::size_t>(0);
};

}  // namespace holdfast::api
