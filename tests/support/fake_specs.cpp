#include "tests/support/fake_specs.hpp"

#include <algorithm>

namespace holdfast::testing {

namespace {

std::string name_of(LaunchSpecId spec) { return "launch spec " + std::to_string(spec.value); }
std::string name_of(PlanId plan) { return "plan " + std::to_string(plan.value); }

}  // namespace

FakeSpecs::Fault FakeSpecs::prepare(const core::Prepare& action) {
    const auto known = specs_.find(action.spec.value);
    if (action.from == core::Prepare::From::kept) {
        if (known == specs_.end() || known->second.state == Spec::State::forgotten || !known->second.was_usable)
            return "Prepare of " + name_of(action.spec) + ", which is not kept";
        if (known->second.state == Spec::State::preparing) return "Prepare twice of " + name_of(action.spec);
        known->second.state = Spec::State::preparing;
        return std::nullopt;
    }
    if (known != specs_.end()) return "Prepare of the used " + name_of(action.spec);
    Spec spec{.listeners = in_force_};
    if (action.plan.value != 0) {
        const auto plan = plans_.find(action.plan.value);
        if (plan == plans_.end() || plan->second.state != Plan::State::read)
            return "Prepare from " + name_of(action.plan) + ", which is unknown or settled";
        spec.listeners = plan->second.listeners;
    }
    specs_[action.spec.value] = spec;
    return std::nullopt;
}

FakeSpecs::Fault FakeSpecs::abandon(LaunchSpecId spec) {
    if (!is_awaited(spec)) return "AbandonPreparation of " + name_of(spec) + ", which is not being prepared";
    prepared(spec, Prepared::failed);
    return std::nullopt;
}

void FakeSpecs::prepared(LaunchSpecId spec, Prepared how) {
    Spec& entry = specs_[spec.value];
    if (how == Prepared::failed) {
        // A kept spec remains usable if its listeners are open.
        entry.state = entry.was_usable ? Spec::State::usable : Spec::State::useless;
        return;
    }
    entry.state = Spec::State::usable;
    entry.was_usable = true;
    open_ |= entry.listeners;
}

bool FakeSpecs::is_awaited(LaunchSpecId spec) const {
    const auto known = specs_.find(spec.value);
    return known != specs_.end() && known->second.state == Spec::State::preparing;
}

FakeSpecs::Fault FakeSpecs::spawn(const core::Spawn& action) {
    if (specs_.empty()) {
        specs_[action.spec.value] = Spec{Spec::State::usable, in_force_, true};
        open_ |= in_force_;
    }
    const auto known = specs_.find(action.spec.value);
    if (known == specs_.end()) return "Spawn from " + name_of(action.spec) + ", which was not prepared";
    const Spec& spec = known->second;
    if (spec.state == Spec::State::forgotten) return "Spawn from the forgotten " + name_of(action.spec);
    if (!spec.was_usable) return "Spawn from " + name_of(action.spec) + ", which cannot be launched from";
    if ((spec.listeners & ~open_) != 0) return "Spawn from " + name_of(action.spec) + ", whose listeners are closed";
    if ((spec.listeners & refused_) != 0)
        return "Spawn from " + name_of(action.spec) + ", whose listeners refuse connections";
    return std::nullopt;
}

FakeSpecs::Fault FakeSpecs::forget(LaunchSpecId spec) {
    Spec& entry = specs_[spec.value];
    if (entry.state == Spec::State::forgotten) return "ForgetSpec twice of " + name_of(spec);
    if (entry.state == Spec::State::preparing) return "ForgetSpec of " + name_of(spec) + ", which is being prepared";
    entry.state = Spec::State::forgotten;
    // Listeners that only this spec held are closed.
    Listeners needed = in_force_;
    for (const auto& [id, other] : specs_)
        if (other.state == Spec::State::usable) needed |= other.listeners;
    open_ &= needed;
    return std::nullopt;
}

FakeSpecs::Fault FakeSpecs::serve_with(LaunchSpecId spec, const std::vector<LaunchSpecId>& accepting) {
    const auto known = specs_.find(spec.value);
    if (known == specs_.end() || known->second.state == Spec::State::forgotten || !known->second.was_usable)
        return "ServeWith " + name_of(spec) + ", which cannot be launched from";
    open_ &= known->second.listeners;
    refused_ &= open_;
    for (const LaunchSpecId other : accepting)
        if ((listeners_of(other) & ~open_) != 0)
            return "ServeWith " + name_of(spec) + " while workers of " + name_of(other) +
                   " may accept on other listeners";
    return std::nullopt;
}

void FakeSpecs::set_removed_listener_admission(const core::SetRemovedListenerAdmission& action) {
    refused_ = action.admission == core::Admission::accept ? 0 : open_ & ~listeners_of(action.spec);
}

FakeSpecs::Fault FakeSpecs::check_recall(LaunchSpecId spec) const {
    if ((listeners_of(spec) & refused_) == 0) return std::nullopt;
    return "Tell run to a worker of " + name_of(spec) + ", whose listeners refuse connections";
}

FakeSpecs::Fault FakeSpecs::settle(PlanId plan, Plan::State state, const char* what) {
    const auto known = plans_.find(plan.value);
    if (known == plans_.end()) return std::string(what) + " of an unknown " + name_of(plan);
    if (known->second.state != Plan::State::read) return std::string(what) + " of the settled " + name_of(plan);
    known->second.state = state;
    return std::nullopt;
}

FakeSpecs::Fault FakeSpecs::adopt(PlanId plan) {
    const Fault fault = settle(plan, Plan::State::adopted, "AdoptPlan");
    if (!fault) in_force_ = plans_[plan.value].listeners;
    return fault;
}

FakeSpecs::Fault FakeSpecs::drop(PlanId plan) { return settle(plan, Plan::State::dropped, "DropPlan"); }

bool FakeSpecs::is_settled(PlanId plan) const {
    const auto known = plans_.find(plan.value);
    return known == plans_.end() || known->second.state != Plan::State::read;
}

bool FakeSpecs::is_adopted(PlanId plan) const {
    const auto known = plans_.find(plan.value);
    return known != plans_.end() && known->second.state == Plan::State::adopted;
}

bool FakeSpecs::are_all_settled() const {
    return std::all_of(plans_.begin(), plans_.end(),
                       [](const auto& entry) { return entry.second.state != Plan::State::read; });
}

FakeSpecs::Listeners FakeSpecs::listeners_of(LaunchSpecId spec) const {
    const auto known = specs_.find(spec.value);
    return known == specs_.end() ? 0 : known->second.listeners;
}

}  // namespace holdfast::testing
