#pragma once

#include "core/policy.hpp"
#include "core/request.hpp"
#include "tests/simulator/random.hpp"
#include "tests/support/worker_script.hpp"

namespace holdfast::simulator {

// Which policies, workers and requests a schedule draws.

core::Policy random_policy(Random& random);

// What the workers of one service have in common: most services speak one way.
enum class Company { protocol, notify, silent, mixed };
Company random_company(Random& random, const core::Policy& policy);

// well_behaved: launches, gets ready in time, leaves when told. wild: each of these may go wrong.
enum class Mood { well_behaved, wild };
testing::WorkerScript random_script(Random& random, const core::Policy& policy, Company company, Mood mood);

// stopping: a stop is under way, and more of them are likely.
enum class Season { serving, stopping };
core::Request random_request(Random& random, const core::Policy& policy, Season season);
Duration random_pause(Random& random, Season season);

}  // namespace holdfast::simulator
