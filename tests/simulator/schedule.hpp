#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "tests/simulator/random.hpp"
#include "tests/simulator/service_run.hpp"

namespace holdfast::simulator {

// One random schedule: runs services one after the other until `events` random events have occurred. Every second
// schedule starts at a random moment within a rollout of a healthy service. At the end each service must recover,
// answer all requests, and stop.
class Schedule {
  public:
    Schedule(std::uint64_t seed, Observers observers)
        : random_(seed * 0x2545f4914f6cdd1d), seed_(seed), observers_(observers) {}

    // Returns the violations; empty if there are none.
    std::vector<std::string> run(std::uint64_t events);
    std::uint64_t events() const { return events_; }
    // The story of the last service, which is the failed one if a service failed.
    const Story& story() const { return story_; }

  private:
    Random random_;
    std::uint64_t seed_;
    Observers observers_;
    std::uint64_t events_ = 0;
    Story story_;
};

}  // namespace holdfast::simulator
