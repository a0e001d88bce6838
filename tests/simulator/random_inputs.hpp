#pragma once

#include "core/policy.hpp"
#include "core/request.hpp"
#include "tests/simulator/random.hpp"
#include "tests/simulator/story.hpp"

namespace holdfast::simulator {

// Which policies, workers and requests a schedule draws.

core::Policy random_policy(Random& random);

ProtocolMix random_protocol_mix(Random& random, const core::Policy& policy);

// well_behaved: launches, gets ready in time, leaves when told. wild: each of these may go wrong.
enum class Behaviour { well_behaved, wild };
testing::WorkerScript random_script(Random& random, const core::Policy& policy, ProtocolMix protocol_mix,
                                    Behaviour behaviour);

// Its launch fails, or it never gets ready.
void fail_to_start(Random& random, testing::WorkerScript& script);

// Perhaps it crashes when nothing turns a rollout back any more.
void crash_after_probation(Random& random, const core::Policy& policy, testing::WorkerScript& script);

// stopping: a stop is under way, and more of them are likely.
enum class RequestPhase { serving, stopping };
Incident random_request(Random& random, const core::Policy& policy, RequestPhase request_phase);
// A restart, a rollback or a reload: what replaces workers.
Incident random_change(Random& random, const core::Policy& policy);
Incident random_disturbance(Random& random);
testing::PreparationScript random_preparation(Random& random, Behaviour behaviour);
Duration random_pause(Random& random, RequestPhase request_phase);

}  // namespace holdfast::simulator
