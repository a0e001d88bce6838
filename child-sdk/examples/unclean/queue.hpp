#pragma once

#include <holdfast/worker.hpp>
#include <thread>
#include <vector>

// Requests that were all accepted, and are answered one after the other.
class Queue {
  public:
    enum class Length {
        ten,     // and then it is empty
        endless  // for each that is answered another one comes
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
