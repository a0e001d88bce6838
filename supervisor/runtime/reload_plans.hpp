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

// The configuration in force, which restarts use, and re-read configurations that wait for their reload to be carried
// out.
class ReloadPlans {
  public:
    using Reread = std::function<Result<core::Configuration>()>;
    ReloadPlans(const core::Configuration& in_force, Reread reread, Listeners& listeners, LaunchSpecs& specs);

    const SharedConfiguration& in_force() const { return in_force_; }
    // 0: the configuration in force. Returns null if there is no such plan.
    SharedConfiguration find(PlanId id) const;

    // Reads the configuration again and stores it under a new id. On an error, which says why it cannot be applied,
    // nothing is stored. `at_least`: whether the workers are replaced even if no setting that affects them has changed.
    Result<core::Reload> read_again(core::Reload::Workers at_least);
    // What a reload would change; stores nothing.
    core::Outcome what_would_change() const;

    void adopt(PlanId id);
    void drop(PlanId id);

  private:
    // The configuration that a reload is compared with. After a rollback it differs from the one in force, which the
    // next restart would use.
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
