#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/action.hpp"

namespace holdfast::testing {

// The launch specs, plans and listeners of the fake world. Checks the actions for them against the contract in
// core/action.hpp: each function returns a description of the violation, or nullopt. A set of listeners is a bit mask.
class FakeSpecs {
  public:
    using Listeners = std::uint32_t;
    using Fault = std::optional<std::string>;

    // Adds a plan: a configuration that was read again.
    void read(PlanId plan, Listeners listeners) { plans_[plan.value] = Plan{listeners}; }

    Fault prepare(const core::Prepare& action);
    Fault abandon(LaunchSpecId spec);
    // Records the Prepared event of a spec.
    enum class Prepared { succeeded, failed };
    void prepared(LaunchSpecId spec, Prepared how);
    bool is_awaited(LaunchSpecId spec) const;

    Fault spawn(const core::Spawn& action);
    Fault forget(LaunchSpecId spec);
    // `accepting`: the specs of the workers that may accept connections.
    Fault serve_with(LaunchSpecId spec, const std::vector<LaunchSpecId>& accepting);
    // `accept` ends the refusal on all listeners.
    void set_removed_listener_admission(const core::SetRemovedListenerAdmission& action);
    Fault check_recall(LaunchSpecId spec) const;
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
    Listeners in_force_ = 1;  // those of the current configuration
    Listeners open_ = 1;
    Listeners refused_ = 0;  // the open ones on which connections are refused
};

}  // namespace holdfast::testing
