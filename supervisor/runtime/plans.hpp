#pragma once

#include <functional>
#include <map>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "core/configuration.hpp"
#include "core/request.hpp"
#include "runtime/listeners.hpp"
#include "runtime/specs.hpp"

namespace holdfast::runtime {

// Configurations that were read again: the one in force, which restarts use, and those that wait for a reload to take
// place.
class Plans {
  public:
    using Reread = std::function<Result<core::Configuration>()>;
    Plans(const core::Configuration& in_force, Reread reread, Listeners& listeners, Specs& specs);

    const HeldConfiguration& in_force() const { return in_force_; }
    // 0: the one in force; empty: there is no such plan.
    HeldConfiguration find(PlanId id) const;

    // Reads the configuration again and keeps it under a new id. The error says why nothing can come of it; then
    // nothing is kept. `at_least`: whether the workers are replaced also where nothing that they see has changed.
    Result<core::Reload> read_again(core::Reload::Workers at_least);
    // What that would change; nothing is kept.
    core::Outcome what_would_change() const;

    void adopt(PlanId id);
    void drop(PlanId id);

  private:
    // What a reload changes: after a rollback not the one in force, which the next restart would use.
    HeldConfiguration served() const;
    Result<core::Configuration> read() const;

    HeldConfiguration in_force_;
    Reread reread_;
    Listeners& listeners_;
    Specs& specs_;
    std::map<PlanId, HeldConfiguration> plans_;
    PlanId last_;
};

}  // namespace holdfast::runtime
