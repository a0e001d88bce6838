#include "tests/simulator/describe.hpp"

#include <array>
#include <cstdio>
#include <sstream>

namespace holdfast::simulator {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

std::string seconds(Duration duration) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f", static_cast<double>(duration.count()) / 1e6);
    return text.data();
}

std::string number(WorkerId id) { return "#" + std::to_string(id.value); }

std::string describe(const Report& report) {
    std::string text;
    if (report.hello) text += " HELLO";
    if (report.stages) text += " stages=" + std::to_string(report.stages->bits);
    if (report.ready) text += " READY";
    if (report.stopping) text += " STOPPING";
    if (report.extend_usec) text += " EXTEND=" + seconds(Duration{*report.extend_usec});
    if (report.accepting) text += *report.accepting ? " ACCEPTING=1" : " ACCEPTING=0";
    if (report.releasing) text += " RELEASING";
    if (report.in_flight) text += " IN_FLIGHT";
    if (report.drained) text += " DRAINED";
    if (report.watchdog) text += *report.watchdog == Watchdog::alive ? " WATCHDOG=1" : " WATCHDOG=trigger";
    return text;
}

std::string describe(const core::Share& share) { return std::to_string(share.amount) + (share.percent ? "%" : ""); }

std::string describe(const core::ReadyWhen& when) {
    return std::visit(Overloaded{[](const core::ReadyAuto&) { return std::string("auto"); },
                                 [](const core::ReadyNotify&) { return std::string("notify"); },
                                 [](const core::ReadyAlive& alive) { return "alive:" + seconds(alive.lived); },
                                 [](const core::ReadyProbe&) { return std::string("probe"); }},
                      when);
}

}  // namespace

std::string seconds(Instant instant) { return seconds(instant.time_since_epoch()); }

std::string_view name_of(const core::Request& request) {
    constexpr std::array<std::string_view, 9> names{"restart", "stop",     "scale", "scale by", "pause",
                                                    "resume",  "rollback", "undo",  "reload"};
    return names.at(request.what.index());
}

std::string_view name_of(core::Outcome::Result result) {
    constexpr std::array<std::string_view, 7> names{"done",        "failed", "mixed",  "superseded",
                                                    "interrupted", "undone", "refused"};
    return names.at(static_cast<std::size_t>(result));
}

std::string_view name_of(Stage stage) {
    constexpr std::array<std::string_view, 5> names{"run", "lame-duck", "pause", "drain", "cancel"};
    return names.at(static_cast<std::size_t>(stage));
}

std::string_view name_of(core::Phase phase) {
    constexpr std::array<std::string_view, 9> names{"starting", "serving", "rolling out", "probation", "rolling back",
                                                    "scaling",  "paused",  "stopping",    "finished"};
    return names.at(static_cast<std::size_t>(phase));
}

std::string describe(const core::Event& event) {
    return std::visit(
        Overloaded{
            [](const core::Spawned& it) { return "Spawned " + number(it.worker); },
            [](const core::SpawnFailed& it) {
                return "SpawnFailed " + number(it.worker) + " errno " + std::to_string(it.error_number);
            },
            [](const core::Said& it) { return "Said " + number(it.worker) + describe(it.report); },
            [](const core::ChannelLost& it) { return "ChannelLost " + number(it.worker); },
            [](const core::MainExited& it) { return "MainExited " + number(it.worker) + ": " + describe(it.status); },
            [](const core::LookedAgain& it) { return "LookedAgain " + number(it.worker) + " " + it.not_seen; },
            [](const core::Exited& it) { return "Exited " + number(it.worker) + ": " + describe(it.status); },
            [](const core::ProbeAnswered& it) {
                const bool is_good = it.answer == core::ProbeAnswered::Answer::good;
                return "ProbeAnswered " + number(it.worker) + (is_good ? " good" : " bad: " + it.text);
            },
            [](const core::ListenerClaimed& it) {
                constexpr std::array<std::string_view, 3> claims{"not known", "held", "missing"};
                return "ListenerClaimed " + number(it.worker) + " " +
                       std::string(claims.at(static_cast<std::size_t>(it.claim)));
            },
            [](const core::Prepared& it) {
                return "Prepared spec " + std::to_string(it.spec.value) + (it.fault.empty() ? "" : ": " + it.fault);
            },
            [](const core::Asked& it) {
                std::string text = "Asked " + std::to_string(it.id.value) + " " + std::string(name_of(it.request));
                if (const auto* reload = std::get_if<core::Reload>(&it.request.what))
                    text += " plan " + std::to_string(reload->plan.value) +
                            (reload->workers == core::Reload::Workers::keep ? " keep" : " replace");
                if (const auto* scale = std::get_if<core::Scale>(&it.request.what))
                    text += " to " + std::to_string(scale->target);
                if (const auto* by = std::get_if<core::ScaleBy>(&it.request.what))
                    text += " " + std::to_string(by->difference);
                return text;
            },
            [](const core::Elapsed&) { return std::string("Elapsed"); }},
        event);
}

std::string describe(const core::Action& action) {
    return std::visit(
        Overloaded{[](const core::Prepare& it) {
                       const bool is_fresh = it.from == core::Prepare::From::fresh;
                       return "Prepare spec " + std::to_string(it.spec.value) + " for generation " +
                              std::to_string(it.generation.value) + (is_fresh ? " fresh" : " kept") + " from plan " +
                              std::to_string(it.plan.value);
                   },
                   [](const core::AbandonPreparation& it) {
                       return "AbandonPreparation of spec " + std::to_string(it.spec.value);
                   },
                   [](const core::ServeWith& it) { return "ServeWith spec " + std::to_string(it.spec.value); },
                   [](const core::AdoptPlan& it) { return "AdoptPlan " + std::to_string(it.plan.value); },
                   [](const core::DropPlan& it) { return "DropPlan " + std::to_string(it.plan.value); },
                   [](const core::Probe& it) { return "Probe " + number(it.worker); },
                   [](const core::CheckListenerClaim& it) { return "CheckListenerClaim " + number(it.worker); },
                   [](const core::CheckBacklogs&) { return std::string("CheckBacklogs"); },
                   [](const core::Record& it) {
                       return "Record generation " + std::to_string(it.generation.value) + " " + std::string(it.event) +
                              ": " + it.text;
                   },
                   [](const core::Spawn& it) {
                       return "Spawn " + number(it.worker) + " = " + std::to_string(it.generation.value) + "." +
                              std::to_string(it.slot.value) + " from spec " + std::to_string(it.spec.value);
                   },
                   [](const core::Tell& it) {
                       std::string text = "Tell " + number(it.worker) + " " + std::string(name_of(it.command.stage));
                       if (it.command.deadline_usec) text += " until " + seconds(from_usec(*it.command.deadline_usec));
                       return text;
                   },
                   [](const core::Signal& it) {
                       return "Signal " + number(it.worker) + " " + std::to_string(it.signal) +
                              (it.target == core::Target::main    ? " main"
                               : it.target == core::Target::group ? " group"
                                                                  : " strays");
                   },
                   [](const core::Kill& it) { return "Kill " + number(it.worker); },
                   [](const core::Forget& it) { return "Forget " + number(it.worker); },
                   [](const core::ForgetSpec& it) { return "ForgetSpec " + std::to_string(it.spec.value); },
                   [](const core::SetAdmission& it) {
                       return std::string(it.admission == core::Admission::accept ? "SetAdmission accept"
                                                                                  : "SetAdmission refuse");
                   },
                   [](const core::SetRemovedListenerAdmission& it) {
                       return std::string(it.admission == core::Admission::accept
                                              ? "SetRemovedListenerAdmission accept, not "
                                              : "SetRemovedListenerAdmission refuse, not ") +
                              std::to_string(it.spec.value);
                   },
                   [](const core::Answer& it) {
                       return "Answer " + std::to_string(it.request.value) + " " +
                              std::string(name_of(it.outcome.result)) + ": " + it.outcome.text;
                   },
                   [](const core::Note& it) { return "Note " + std::string(it.event) + ": " + it.text; },
                   [](const core::ManagerReady&) { return std::string("ManagerReady"); },
                   [](const core::ManagerStopping&) { return std::string("ManagerStopping"); },
                   [](const core::ManagerExtend& it) { return "ManagerExtend " + seconds(it.at_least); },
                   [](const core::ManagerStatus& it) { return "ManagerStatus " + it.text; },
                   [](const core::Finish& it) { return "Finish " + std::to_string(it.exit_code); }},
        action);
}

std::string describe(const core::Status& status) {
    std::ostringstream text;
    text << name_of(status.phase) << (status.change ? " (" + status.change->stage + ")" : "") << " target "
         << status.target << " generation " << status.generation.value;
    for (const core::WorkerStatus& worker : status.workers) {
        text << " | " << number(worker.id) << ' ' << worker.generation.value << '.' << worker.slot.value << ' '
             << core::to_string(worker.state) << (worker.settled ? " settled" : "");
        if (worker.deadline) text << " until " << seconds(*worker.deadline);
    }
    return text.str();
}

std::string describe(const core::Policy& policy) {
    std::ostringstream text;
    text << "workers " << policy.workers << ", ready when " << describe(policy.ready_when) << " within "
         << seconds(policy.ready_timeout) << ", settle " << seconds(policy.settle) << ", surge "
         << describe(policy.max_surge) << ", unavailable " << describe(policy.max_unavailable) << ", lame duck "
         << seconds(policy.lame_duck) << ", grace " << seconds(policy.grace_period) << ", cancel "
         << seconds(policy.cancel_period) << ", extension " << seconds(policy.max_extension) << ", pause "
         << seconds(policy.max_pause) << ", backoff " << seconds(policy.backoff_min) << ".."
         << seconds(policy.backoff_max) << ", probation " << seconds(policy.probation) << ", watchdog "
         << seconds(policy.watchdog) << ", queue for " << seconds(policy.queue_for) << ", cancel signal "
         << policy.cancel_signal;
    return text.str();
}

}  // namespace holdfast::simulator
