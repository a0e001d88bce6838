#include "runtime/reload_plans.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/configuration_diff.hpp"

namespace holdfast::runtime {

namespace {

std::string joined(const std::vector<std::string>& sentences) {
    std::string text;
    for (const auto& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
    return text;
}

}  // namespace

ReloadPlans::ReloadPlans(const core::Configuration& in_force, Reread reread, Listeners& listeners, LaunchSpecs& specs)
    : in_force_(std::make_shared<const core::Configuration>(in_force)),
      reread_(std::move(reread)),
      listeners_(listeners),
      specs_(specs) {}

SharedConfiguration ReloadPlans::find(PlanId id) const {
    if (id.value == 0) return in_force_;
    const auto found = plans_.find(id);
    return found == plans_.end() ? nullptr : found->second;
}

SharedConfiguration ReloadPlans::served() const {
    const GenerationSpec* serving = specs_.serving();
    return serving != nullptr ? serving->configuration : in_force_;
}

Result<core::Configuration> ReloadPlans::read() const {
    if (in_force_->file.empty() || !reread_) {
        return error("this supervisor was started without --config, so there is no file to read again");
    }
    return reread_();
}

Result<core::Reload> ReloadPlans::read_again(core::Reload::Workers at_least) {
    auto read_now = read();
    if (!read_now) return read_now.error();
    const core::ConfigurationDiff changes = core::compare_configurations(*served(), *read_now);
    if (!changes.refusals.empty()) return error(joined(changes.refusals));
    // Another plan may be in force by the time this one is carried out.
    const bool affects_workers =
        changes.workers == core::Reload::Workers::replace || std::ranges::any_of(plans_, [&](const auto& plan) {
            return core::compare_configurations(*plan.second, *read_now).workers == core::Reload::Workers::replace;
        });
    const auto next = std::make_shared<const core::Configuration>(std::move(*read_now));
    const PlanId id{++last_.value};
    plans_[id] = next;
    return core::Reload{id, std::shared_ptr<const core::Policy>(next, &next->policy),
                        affects_workers ? core::Reload::Workers::replace : at_least, core::describe(changes)};
}

core::Outcome ReloadPlans::what_would_change() const {
    using Result = core::Outcome::Result;
    const auto read_now = read();
    if (!read_now) return {Result::refused, read_now.error().text, {}, 1};
    const core::ConfigurationDiff changes = core::compare_configurations(*served(), *read_now);
    if (!changes.refusals.empty()) return {Result::refused, joined(changes.refusals), {}, 1};
    if (changes.sentences.empty()) return {Result::done, "nothing would change", {}, 0};
    const bool replaced = changes.workers == core::Reload::Workers::replace;
    const std::string workers = replaced ? "; the workers would be replaced" : "; the workers would stay";
    return {Result::done, core::describe(changes) + workers, {}, 0};
}

void ReloadPlans::adopt(PlanId id) {
    const auto found = plans_.find(id);
    if (found == plans_.end()) return;
    in_force_ = found->second;
    plans_.erase(found);
    listeners_.change_in_place(in_force_->listen);
    if (GenerationSpec* serving = specs_.serving()) serving->configuration = in_force_;
}

void ReloadPlans::drop(PlanId id) {
    plans_.erase(id);
    listeners_.keep_only(specs_.listeners());
}

}  // namespace holdfast::runtime
