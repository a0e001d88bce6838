#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/policy.hpp"
#include "os/signals.hpp"
#include "os/worker_records.hpp"
#include "runtime/log.hpp"

namespace holdfast::runtime {

// "1.0 (pid 812, hello-http), 1.1 (pid 813, hello-http)"
std::string describe(const std::vector<os::Orphan>& orphans);

// Ends the workers of a former supervisor, for --replace-orphans: the stop signal, the grace period of the policy, then
// SIGKILL. Waits for them, before anything was launched; a SIGTERM or SIGINT to us meanwhile gives up (an error).
Result<void> replace_orphans(const std::vector<os::Orphan>& orphans, const core::Policy& policy,
                             const os::Signals& signals, Log& log);

}  // namespace holdfast::runtime
