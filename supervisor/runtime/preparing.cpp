#include "runtime/preparing.hpp"

#include <memory>
#include <system_error>
#include <utility>

#include "core/fingerprint.hpp"

namespace holdfast::runtime {

ProgramFacts facts_of(const Spec& spec) {
    return {spec.held->executable.path, spec.held->executable.build_id, core::fingerprint(*spec.configuration)};
}

void Preparing::prepare(const core::Prepare& action) {
    if (task_) abandon(task_->action.spec);
    task_ = Task{action, ++last_number_, {}, {}};
    if (action.from == core::Prepare::From::fresh) {
        make_fresh();
    } else {
        look_again();
    }
}

void Preparing::abandon(LaunchSpecId spec) {
    if (!task_ || task_->action.spec != spec) return;
    looking_.reset();
    for (auto& check : checks_) check.give_up();
    forget_over();
    hands_.listeners.close_again(task_->reopened);
    task_.reset();
    hands_.specs.release();
    hands_.listeners.keep_only(hands_.specs.listeners());
    hands_.collect();
}

void Preparing::make_fresh() {
    Spec& spec = task_->spec;
    spec.made_for = task_->action.generation;
    spec.configuration = hands_.plans.find(task_->action.plan);
    if (!spec.configuration) return finish({"cannot prepare a plan that was dropped", {}});
    // Also without a plan: after a rollback not all that the configuration names need be bound.
    auto obtained = hands_.listeners.obtain(spec.configuration->listen);
    if (!obtained) return finish({obtained.error().text, {}});
    spec.listeners = std::move(*obtained);
    hands_.specs.reserve(spec.listeners);
    look([configuration = spec.configuration, environment = hands_.environment]() -> Looked {
        auto made = os::resolve(configuration->launch, environment);
        if (const auto* failure = std::get_if<os::LaunchFailure>(&made)) return os::describe(*failure);
        return std::get<os::LaunchSpec>(std::move(made));
    });
}

void Preparing::look_again() {
    const Spec* known = hands_.specs.find(task_->action.spec);
    if (known != nullptr) task_->spec = *known;
    if (known == nullptr || !known->held) return finish({blame("nothing of it was kept"), {}});
    auto reopened = hands_.listeners.reopen(known->listeners);
    if (!reopened) return finish({blame(reopened.error().text), {}});
    task_->reopened = std::move(*reopened);
    look([held = known->held]() -> Looked { return os::why_not_again(*held).value_or(""); });
}

void Preparing::look(std::function<Looked()> work) {
    try {
        looking_.emplace(
            hands_.io, std::move(work), [this](Looked found) { looked(std::move(found)); }, [](Looked) {});
    } catch (const std::system_error& refused) {
        finish({"cannot start a thread for the preparation: " + refused.code().message(), {}});
    }
}

void Preparing::looked(Looked found) {
    looking_.reset();
    if (auto* made = std::get_if<os::LaunchSpec>(&found)) {
        task_->spec.held = std::make_shared<const os::LaunchSpec>(std::move(*made));
        return check();
    }
    const std::string& problem = std::get<std::string>(found);
    const bool is_kept = task_->action.from == core::Prepare::From::kept;
    finish({problem.empty() || !is_kept ? problem : blame(problem), {}});
}

void Preparing::check() {
    const Spec& spec = task_->spec;
    const std::string& command = spec.configuration->launch.pre_restart;
    if (command.empty()) return finish({});
    checks_.emplace_back(
        hands_.io, hands_.output, spec.held, command, check_environment(),
        [this, number = task_->number](PreRestart::Verdict verdict) {
            if (task_ && task_->number == number) finish(std::move(verdict));
            forget_over();
        },
        hands_.collect);
}

void Preparing::finish(PreRestart::Verdict verdict) {
    const Task task = *std::exchange(task_, std::nullopt);
    hands_.specs.release();
    if (verdict.fault.empty()) {
        hands_.specs.add(task.action.spec, task.spec);
        hands_.know(task.action.generation, facts_of(task.spec));
    } else {
        hands_.listeners.close_again(task.reopened);
        hands_.listeners.keep_only(hands_.specs.listeners());
    }
    hands_.pump.push(core::Prepared{task.action.spec, std::move(verdict.fault), std::move(verdict.last_words)});
}

std::optional<os::Verdict> Preparing::judge(pid_t pid, const ExitStatus& status) {
    std::optional<os::Verdict> verdict;
    for (auto& check : checks_) {
        const auto one = check.judge(pid, status);
        if (one == os::Verdict::reap) return one;
        if (one) verdict = one;
    }
    return verdict;
}

void Preparing::forget_over() {
    checks_.remove_if([](const PreRestart& check) { return check.is_over(); });
}

std::string Preparing::blame(const std::string& why) const {
    return "cannot roll back to generation " + std::to_string(task_->spec.made_for.value) + ": " + why;
}

std::vector<std::string> Preparing::check_environment() const {
    return {"HOLDFAST_NAME=" + hands_.service, "HOLDFAST_GENERATION=" + std::to_string(task_->action.generation.value),
            "HOLDFAST_PRE_RESTART=1"};
}

}  // namespace holdfast::runtime
