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

// What the workers of one service have in common: most services speak one way.
enum class ProtocolMix { protocol, notify, silent, mixed };

// One thing that comes from outside of the service and its workers.
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
    Duration at{};  // since the world began
    testing::Asker asker = testing::Asker::waits;
    int number = 0;     // scale, scale_by
    Duration length{};  // stall
    int listeners = 1;  // reload: a bit for each
    core::Reload::Workers workers = core::Reload::Workers::keep;
    core::Policy policy;  // reload: in force from then on
};

// All that a service met, and nothing of what it made of it: the same story gives the same steps. Workers that are not
// in it behave well; so do preparations.
struct Story {
    core::Policy policy;
    std::uint64_t seed = 1;  // of the core
    ProtocolMix protocol_mix = ProtocolMix::protocol;
    std::map<std::uint64_t, testing::WorkerScript> scripts;            // by the worker's id
    std::map<std::uint64_t, testing::PreparationScript> preparations;  // in order, from 1
    std::map<std::uint64_t, Duration> lateness;                        // of the timer, in order, from 1
    std::vector<Incident> incidents;
    Duration roams_until{};  // then it is left alone, and must recover
};

// As text, a line each, with what differs from the default; and back. Throws std::runtime_error where it is no story.
std::string to_text(const Story& story);
Story story_of(const std::string& text);
std::string to_text(const testing::WorkerScript& script);

}  // namespace holdfast::simulator
