#pragma once

#include <cstdint>
#include <initializer_list>

#include "base/time.hpp"

namespace holdfast::simulator {

// A splitmix64 generator. It gives the same sequence on every platform, so a seed identifies a schedule.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
        mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111eb;
        return mixed ^ (mixed >> 31U);
    }

    // Uniform in 0 … limit − 1.
    int below(int limit) { return static_cast<int>(next() % static_cast<std::uint64_t>(limit)); }
    bool percent(int share) { return below(100) < share; }
    Duration up_to(Duration longest) {
        return Duration{static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(longest.count() + 1))};
    }
    // Favours short durations: every order of magnitude is likely.
    Duration any_up_to(Duration longest) { return up_to(up_to(up_to(longest))); }

    template <class T>
    T pick(std::initializer_list<T> choices) {
        return choices.begin()[below(static_cast<int>(choices.size()))];
    }

  private:
    std::uint64_t state_;
};

}  // namespace holdfast::simulator
