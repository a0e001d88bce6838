#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/policy.hpp"
#include "tests/support/fake_world.hpp"
#include "tests/support/worker_script.hpp"

namespace holdfast::simulator {

// The protocols that the workers of a service use. In most services all workers use the same one.
enum class ProtocolMix { protocol, notify, silent, mixed };

// An event from outside of the service and its workers.
struct Incident {
    enum class What {
        restart,
        stop,
        quit,
        scale,
        scale_by,
        pause,
        resume,
        rollback,
        undo,
        reload,
        tick,
        late_word,
        late_preparation,
        stall
    };
    What what = What::restart;
    Duration at{};  // since the start of the simulation
    testing::Asker asker = testing::Asker::waits;
    int number = 0;     // scale, scale_by
    Duration length{};  // stall
    int listeners = 1;  // reload: a bit mask
    core::Reload::Workers workers = core::Reload::Workers::keep;
    core::Policy policy;  // reload: the new policy
};

// All inputs of a service, without its reactions: the same story gives the same steps. Workers and preparations that
// are not in the story are well behaved.
struct Story {
    core::Policy policy;
    std::uint64_t seed = 1;  // seed of the core
    ProtocolMix protocol_mix = ProtocolMix::protocol;
    std::map<std::uint64_t, testing::WorkerScript> scripts;            // by worker id
    std::map<std::uint64_t, testing::PreparationScript> preparations;  // numbered from 1
    std::map<std::uint64_t, Duration> lateness;                        // delays of the timer, numbered from 1
    std::vector<Incident> incidents;
    Duration roams_until{};  // end of the random phase: no incidents follow, and the service must recover
};

// Converts a story to text and back. Each part has a line with the fields that differ from the default. story_of()
// throws std::runtime_error if the text is not a story.
std::string to_text(const Story& story);
Story story_of(const std::string& text);
std::string to_text(const testing::WorkerScript& script);

}  // namespace holdfast::simulator
