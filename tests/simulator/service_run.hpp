#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "tests/simulator/coverage.hpp"
#include "tests/simulator/invariant_checker.hpp"
#include "tests/simulator/story.hpp"

namespace holdfast::simulator {

// Controls a simulation: supplies the events from outside and the behaviour of the workers.
class Director {
  public:
    virtual ~Director() = default;
    virtual testing::WorkerScript script_of(const core::Spawn& spawn) = 0;
    virtual testing::PreparationScript preparation_of(const core::Prepare& prepare) = 0;
    virtual Duration lateness() = 0;
    // Returns the next incident to plan now; nullopt if there is none at the moment.
    virtual std::optional<Incident> next(const testing::FakeWorld& world) = 0;
    // Called after each step: whether incidents may still follow.
    virtual bool goes_on(const testing::FakeWorld& world) = 0;
    // From now on, all new workers are well behaved.
    virtual void end_faults() = 0;
};

// Optional observers of a simulation.
struct Observers {
    Coverage* coverage = nullptr;
    LongestAnswers* longest = nullptr;
    std::ostream* out = nullptr;  // prints each step
};

// Simulates one service from its start to its end: runs the incidents of the director, after which the service must
// recover, answer all requests, and stop.
class ServiceRun {
  public:
    ServiceRun(const core::Policy& policy, std::uint64_t seed, ProtocolMix protocol_mix, Director& director,
               Observers observers);

    // Returns the violations; empty if there are none.
    std::vector<std::string> run();
    Instant now() const { return world_.now(); }
    Duration roamed_until() const { return roamed_until_; }

  private:
    bool is_over() const { return world_.exit_code().has_value() || !world_.violations().empty(); }
    void plan(const Incident& incident);
    void run_incidents();
    void recover();
    void stop_service();
    bool step();
    void observe();
    void print_step() const;

    core::Policy policy_;
    ProtocolMix protocol_mix_;
    Director& director_;
    Observers observers_;
    LongestAnswers unused_longest_;
    testing::FakeWorld world_;
    InvariantChecker invariants_;
    Duration roamed_until_{};
};

// The script of a worker that is not in the story: it is well behaved and sends heartbeats in time for its watchdog.
testing::WorkerScript default_script(const core::Policy& policy);

// Replays a story. Returns the violations.
std::vector<std::string> replay(const Story& story, std::ostream* out = nullptr);
// The violations, and the time at which the replay ended.
struct ReplayResult {
    std::vector<std::string> violations;
    Instant end{};
};
ReplayResult replay_story(const Story& story, std::ostream* out);
ReplayResult replay_quietly(const Story& story);

}  // namespace holdfast::simulator
