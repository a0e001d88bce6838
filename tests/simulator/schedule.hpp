#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "tests/simulator/random.hpp"
#include "tests/simulator/service_run.hpp"

namespace holdfast::simulator {

// One random schedule: as many services, one after the other, as it takes to meet `events` events that nobody planned.
// Every second schedule begins at a random moment inside a rollout of a healthy service. At its end the service must
// recover, answer everybody, and stop.
class Schedule {
  public:
    Schedule(std::uint64_t seed, Observers observers)
        : random_(seed * 0x2545f4914f6cdd1d), seed_(seed), observers_(observers) {}

    // What broke; empty if nothing did.
    std::vector<std::string> run(std::uint64_t events);
    std::uint64_t events() const { return events_; }
    // The last service's; the failing one's, where one failed.
    const Story& story() const { return story_; }

  private:
    Random random_;
    std::uint64_t seed_;
    Observers observers_;
    std::uint64_t events_ = 0;
    Story story_;
};

}  // namespace holdfast::simulator
