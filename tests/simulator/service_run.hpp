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

// Decides what comes from outside of the core, and how workers are.
class Director {
  public:
    virtual ~Director() = default;
    virtual testing::WorkerScript script_of(const core::Spawn& spawn) = 0;
    virtual testing::PreparationScript preparation_of(const core::Prepare& prepare) = 0;
    virtual Duration lateness() = 0;
    // What comes next, to be planned now; nothing for the moment.
    virtual std::optional<Incident> next(const testing::FakeWorld& world) = 0;
    // After each step, until it is to be left alone: whether more shall come.
    virtual bool goes_on(const testing::FakeWorld& world) = 0;
    // From now on workers behave.
    virtual void end_faults() = 0;
};

// Who looks on.
struct Observers {
    Coverage* coverage = nullptr;
    LongestAnswers* longest = nullptr;
    std::ostream* out = nullptr;  // where each step is told
};

// One service from its launch to its end: it meets what the director thinks of, then must recover, answer everybody,
// and stop.
class ServiceRun {
  public:
    ServiceRun(const core::Policy& policy, std::uint64_t seed, ProtocolMix protocol_mix, Director& director,
               Observers observers);

    // What broke; empty if nothing did.
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

// Of a worker that its story does not name: it behaves well, and is heard as often as its watchdog wants.
testing::WorkerScript default_script(const core::Policy& policy);

// Tells a story again.
std::vector<std::string> replay(const Story& story, std::ostream* out = nullptr);
// Until when it went, too.
struct ReplayResult {
    std::vector<std::string> violations;
    Instant end{};
};
ReplayResult replay_story(const Story& story, std::ostream* out);
ReplayResult replay_quietly(const Story& story);

}  // namespace holdfast::simulator
