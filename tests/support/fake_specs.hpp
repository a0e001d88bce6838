#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/action.hpp"

namespace holdfast::testing {

// The launch specs, plans and listeners of the fake world, and what the contract of actions says of them. Each function
// returns what the contract forbids, or nothing. A set of listeners is a number with a bit for each.
class FakeSpecs {
  public:
    using Listeners = std::uint32_t;
    using Fault = std::optional<std::string>;

    // A configuration was read again.
    void read(PlanId plan, Listeners listeners) { plans_[plan.value] = Plan{listeners}; }

    Fault prepare(const core::Prepare& action);
    Fault abandon(LaunchSpecId spec);
    // Prepared is delivered.
    enum class Prepared { succeeded, failed };
    void prepared(LaunchSpecId spec, Prepared how);
    bool is_awaited(LaunchSpecId spec) const;

    Fault spawn(const core::Spawn& action);
    Fault forget(LaunchSpecId spec);
    // `accepting`: the specs of the workers that may accept.
    Fault serve_with(LaunchSpecId spec, const std::vector<LaunchSpecId>& accepting);
    // `accept` opens all that were refused so.
    void set_removed_listener_admission(const core::SetRemovedListenerAdmission& action);
    Fault told_to_run(LaunchSpecId spec) const;
    Fault adopt(PlanId plan);
    Fault drop(PlanId plan);

    bool is_settled(PlanId plan) const;
    bool is_adopted(PlanId plan) const;
    bool are_all_settled() const;
    Listeners open() const { return open_; }
    Listeners refused() const { return refused_; }
    Listeners listeners_of(LaunchSpecId spec) const;

  private:
    struct Plan {
        Listeners listeners = 0;
        enum class State { read, adopted, dropped } state = State::read;
    };
    struct Spec {
        enum class State { preparing, usable, useless, forgotten } state = State::preparing;
        Listeners listeners = 0;
        bool was_usable = false;
    };

    Fault settle(PlanId plan, Plan::State state, const char* what);

    std::map<std::uint64_t, Plan> plans_;
    std::map<std::uint64_t, Spec> specs_;
    Listeners in_force_ = 1;  // of the configuration
    Listeners open_ = 1;
    Listeners refused_ = 0;  // of the open ones, where nobody accepts
};

}  // namespace holdfast::testing
