#pragma once

#include "core/policy.hpp"
#include "core/request.hpp"
#include "tests/simulator/random.hpp"
#include "tests/simulator/story.hpp"

namespace holdfast::simulator {

// Generates the random policies, workers and requests of a schedule.

core::Policy random_policy(Random& random);

ProtocolMix random_protocol_mix(Random& random, const core::Policy& policy);

// well_behaved: launches, becomes ready in time and leaves on request. wild: each of these may fail.
enum class Behaviour { well_behaved, wild };
testing::WorkerScript random_script(Random& random, const core::Policy& policy, ProtocolMix protocol_mix,
                                    Behaviour behaviour);

// Makes the launch fail, or the worker never become ready.
void fail_to_start(Random& random, testing::WorkerScript& script);

// With a probability of 50 %, makes the worker crash after the probation, when a crash no longer starts a rollback.
void crash_after_probation(Random& random, const core::Policy& policy, testing::WorkerScript& script);

// stopping: a stop is in progress; further stops are likely.
enum class RequestPhase { serving, stopping };
Incident random_request(Random& random, const core::Policy& policy, RequestPhase request_phase);
// A change that replaces the workers: a restart, a rollback or a reload.
Incident random_change(Random& random, const core::Policy& policy);
Incident random_disturbance(Random& random);
testing::PreparationScript random_preparation(Random& random, Behaviour behaviour);
Duration random_pause(Random& random, RequestPhase request_phase);

}  // namespace holdfast::simulator
