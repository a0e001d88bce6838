#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "tests/simulator/casting.hpp"
#include "tests/simulator/random.hpp"
#include "tests/simulator/visits.hpp"
#include "tests/simulator/watch.hpp"

namespace holdfast::simulator {

// One random schedule: as many services, one after the other, as it takes to meet `events` events that nobody planned.
// Every second schedule begins at a random moment inside a rollout of a healthy service. At its end the service must
// recover, answer everybody, and stop.
class Schedule {
  public:
    // `out`: where each step is told, or nothing.
    Schedule(std::uint64_t seed, Visits& visits, LongestAnswers& longest, std::ostream* out);

    // What broke; empty if nothing did.
    std::vector<std::string> run(std::uint64_t events);
    std::uint64_t events() const { return events_; }

  private:
    enum class Opening { from_the_start, inside_a_rollout };
    struct Life;

    void live(Opening opening, std::uint64_t events);
    void drive_into_rollout(Life& life);
    void roam(Life& life, std::uint64_t events);
    void disturb(Life& life);
    void recover(Life& life);
    void wind_down(Life& life);
    bool step(Life& life);
    void observe(Life& life);
    void tell(const Life& life) const;
    Duration lateness();

    Random random_;
    Visits& visits_;
    LongestAnswers& longest_;
    std::ostream* out_;
    Opening opening_;
    std::uint64_t events_ = 0;
    std::vector<std::string> violations_;
};

}  // namespace holdfast::simulator
