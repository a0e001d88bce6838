#pragma once

#include <functional>
#include <map>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "core/configuration.hpp"
#include "core/request.hpp"
#include "runtime/launch_specs.hpp"
#include "runtime/listeners.hpp"

namespace holdfast::runtime {

// Configurations that were read again: the one in force, which restarts use, and those that wait for a reload to take
// place.
class ReloadPlans {
  public:
    using Reread = std::function<Result<core::Configuration>()>;
    ReloadPlans(const core::Configuration& in_force, Reread reread, Listeners& listeners, LaunchSpecs& specs);

    const SharedConfiguration& in_force() const { return in_force_; }
    // 0: the one in force; empty: there is no such plan.
    SharedConfiguration find(PlanId id) const;

    // Reads the configuration again and keeps it under a new id. The error says why nothing can come of it; then
    // nothing is kept. `at_least`: whether the workers are replaced also where nothing that they see has changed.
    Result<core::Reload> read_again(core::Reload::Workers at_least);
    // What that would change; nothing is kept.
    core::Outcome what_would_change() const;

    void adopt(PlanId id);
    void drop(PlanId id);

  private:
    // What a reload changes: after a rollback not the one in force, which the next restart would use.
    SharedConfiguration served() const;
    Result<core::Configuration> read() const;

    SharedConfiguration in_force_;
    Reread reread_;
    Listeners& listeners_;
    LaunchSpecs& specs_;
    std::map<PlanId, SharedConfiguration> plans_;
    PlanId last_;
};

}  // namespace holdfast::runtime
