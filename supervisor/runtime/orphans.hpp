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

// Stops the workers of an earlier supervisor, for --replace-orphans: sends the stop signal, waits for the grace period
// of the policy, then sends SIGKILL. Blocks until they have ended; called before anything is launched. A SIGTERM or
// SIGINT in the meantime cancels it, which is an error.
Result<void> replace_orphans(const std::vector<os::Orphan>& orphans, const core::Policy& policy,
                             const os::Signals& signals, Log& log);

}  // namespace holdfast::runtime
