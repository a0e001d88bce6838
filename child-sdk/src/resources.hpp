#pragma once

#include <chrono>
#include <functional>
#include <holdfast/message.hpp>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast {

// What is closed at the very end, the last one first. Any thread may call anything; close_all() is for one at a time,
// and nothing is added from then on.
class Resources {
  public:
    using Clock = std::chrono::steady_clock;
    enum class Outcome { closed, failed };

    void add(std::string name, std::function<void()> close);

    // A close that throws is reported on stderr and stops none of the others.
    Outcome close_all();

    // Those that are not closed, the next one first.
    void describe(Clock::time_point now, std::vector<Waiting>& report) const;

  private:
    struct Resource {
        std::string name;
        std::function<void()> close;
        Clock::time_point since;
    };

    mutable std::mutex mutex_;
    std::vector<Resource> open_;
};

}  // namespace holdfast
