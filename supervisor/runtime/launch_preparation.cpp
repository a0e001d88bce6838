#include "runtime/launch_preparation.hpp"

#include <memory>
#include <system_error>
#include <utility>

#include "core/describe/fingerprint.hpp"

namespace holdfast::runtime {

ProgramFacts facts_of(const GenerationSpec& spec) {
    return {spec.launch_spec->executable.path, spec.launch_spec->executable.build_id,
            core::fingerprint(*spec.configuration)};
}

void LaunchPreparation::prepare(const core::Prepare& action) {
    if (task_) abandon(task_->action.spec);
    task_ = Task{action, ++last_number_, {}, {}};
    if (action.from == core::Prepare::From::fresh) {
        resolve_new_spec();
    } else {
        recheck_kept_spec();
    }
}

void LaunchPreparation::abandon(LaunchSpecId spec) {
    if (!task_ || task_->action.spec != spec) return;
    spec_task_.reset();
    for (auto& check : checks_) check.cancel();
    remove_finished_checks();
    dependencies_.listeners.close_all(task_->reopened);
    task_.reset();
    dependencies_.specs.release();
    dependencies_.listeners.keep_only(dependencies_.specs.listeners());
    dependencies_.collect();
}

void LaunchPreparation::resolve_new_spec() {
    GenerationSpec& spec = task_->spec;
    spec.made_for = task_->action.generation;
    spec.configuration = dependencies_.plans.find(task_->action.plan);
    if (!spec.configuration) return finish({"cannot prepare the reload: its plan was dropped", {}});
    // Also without a reload: after a rollback some listeners of the configuration may not be bound.
    auto obtained = dependencies_.listeners.obtain(spec.configuration->listen);
    if (!obtained) return finish({obtained.error().text, {}});
    spec.listeners = std::move(*obtained);
    dependencies_.specs.reserve(spec.listeners);
    start_spec_task([configuration = spec.configuration, environment = dependencies_.environment,
                     descriptors = dependencies_.descriptors]() -> SpecResult {
        auto made = os::resolve(configuration->launch, environment, descriptors);
        if (const auto* failure = std::get_if<os::LaunchFailure>(&made)) return os::describe(*failure);
        return std::get<os::LaunchSpec>(std::move(made));
    });
}

void LaunchPreparation::recheck_kept_spec() {
    const GenerationSpec* known = dependencies_.specs.find(task_->action.spec);
    if (known != nullptr) task_->spec = *known;
    if (known == nullptr || !known->launch_spec) return finish({rollback_failure("its program is no longer kept"), {}});
    auto reopened = dependencies_.listeners.reopen(known->listeners);
    if (!reopened) return finish({rollback_failure(reopened.error().text), {}});
    task_->reopened = std::move(*reopened);
    start_spec_task([launch_spec = known->launch_spec]() -> SpecResult {
        return os::find_relaunch_problem(*launch_spec).value_or("");
    });
}

void LaunchPreparation::start_spec_task(std::function<SpecResult()> work) {
    try {
        spec_task_.emplace(
            dependencies_.io, std::move(work), [this](SpecResult found) { on_spec_result(std::move(found)); },
            [](SpecResult) {});
    } catch (const std::system_error& refused) {
        finish({"cannot start a thread to prepare the launch: " + refused.code().message(), {}});
    }
}

void LaunchPreparation::on_spec_result(SpecResult found) {
    spec_task_.reset();
    if (auto* made = std::get_if<os::LaunchSpec>(&found)) {
        task_->spec.launch_spec = std::make_shared<const os::LaunchSpec>(std::move(*made));
        return check();
    }
    const std::string& problem = std::get<std::string>(found);
    const bool is_kept = task_->action.from == core::Prepare::From::kept;
    finish({problem.empty() || !is_kept ? problem : rollback_failure(problem), {}});
}

void LaunchPreparation::check() {
    const GenerationSpec& spec = task_->spec;
    const std::string& command = spec.configuration->launch.pre_restart;
    if (command.empty()) return finish({});
    checks_.emplace_back(
        dependencies_.io, dependencies_.output, spec.launch_spec, command, check_environment(),
        [this, number = task_->number](PreRestart::Verdict verdict) {
            if (task_ && task_->number == number) finish(std::move(verdict));
            remove_finished_checks();
        },
        dependencies_.collect);
}

void LaunchPreparation::finish(PreRestart::Verdict verdict) {
    const Task task = *std::exchange(task_, std::nullopt);
    dependencies_.specs.release();
    if (verdict.fault.empty()) {
        dependencies_.specs.add(task.action.spec, task.spec);
        dependencies_.set_program_facts(task.action.generation, facts_of(task.spec));
    } else {
        dependencies_.listeners.close_all(task.reopened);
        dependencies_.listeners.keep_only(dependencies_.specs.listeners());
    }
    dependencies_.event_queue.push(
        core::Prepared{task.action.spec, std::move(verdict.fault), std::move(verdict.last_words)});
}

std::optional<os::ReapDecision> LaunchPreparation::classify(pid_t pid, const ExitStatus& status) {
    std::optional<os::ReapDecision> verdict;
    for (auto& check : checks_) {
        const auto one = check.classify(pid, status);
        if (one == os::ReapDecision::reap) return one;
        if (one) verdict = one;
    }
    return verdict;
}

void LaunchPreparation::remove_finished_checks() {
    checks_.remove_if([](const PreRestart& check) { return check.is_finished(); });
}

std::string LaunchPreparation::rollback_failure(const std::string& why) const {
    return "cannot roll back to generation " + std::to_string(task_->spec.made_for.value) + ": " + why;
}

std::vector<std::string> LaunchPreparation::check_environment() const {
    return {"HOLDFAST_NAME=" + dependencies_.service,
            "HOLDFAST_GENERATION=" + std::to_string(task_->action.generation.value), "HOLDFAST_PRE_RESTART=1"};
}

}  // namespace holdfast::runtime
