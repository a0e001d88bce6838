#pragma once

#include <holdfast/worker.hpp>
#include <thread>
#include <vector>

// A queue of accepted requests that are answered one after another.
class Queue {
  public:
    enum class Length {
        ten,     // empty after ten requests
        endless  // every answered request is followed by a new one
    };

    Queue(holdfast::Worker& worker, Length length);
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

  private:
    void answer_all(Length length);

    holdfast::Worker& worker_;
    std::vector<holdfast::Request> requests_;
    std::thread thread_;
};
