#include "core/configuration_diff.hpp"

#include <variant>

#include "core/listener_diff.hpp"

namespace holdfast::core {
namespace {

std::string text_of(int number) { return std::to_string(number); }

std::string text_of(Duration duration) {
    const auto usec = duration.count();
    if (usec % 60'000'000 == 0 && usec != 0) return std::to_string(usec / 60'000'000) + "m";
    if (usec % 1'000'000 == 0) return std::to_string(usec / 1'000'000) + "s";
    return std::to_string(usec / 1000) + "ms";
}

std::string text_of(Share share) { return std::to_string(share.amount) + (share.percent ? "%" : ""); }

std::string text_of(const ReadyWhen& ready) {
    if (const auto* alive = std::get_if<ReadyAlive>(&ready)) return "alive:" + text_of(alive->lived);
    if (const auto* probe = std::get_if<ReadyProbe>(&ready)) {
        const bool is_http = probe->how == ReadyProbe::How::http;
        return (is_http ? "http:" : "tcp:") + probe->address + (is_http ? probe->path : "");
    }
    return std::holds_alternative<ReadyNotify>(ready) ? "notify" : "auto";
}

bool is_private(const ReadyWhen& ready) {
    const auto* probe = std::get_if<ReadyProbe>(&ready);
    return probe != nullptr && probe->where == ReadyProbe::Where::private_listener;
}

// Adds "WHAT old → new" if the values differ.
template <class Value>
void add_difference(const char* what, const Value& before, const Value& after, ConfigurationDiff& changes) {
    if (text_of(before) == text_of(after)) return;
    changes.sentences.push_back(std::string(what) + " " + text_of(before) + " → " + text_of(after));
}

void compare_policies(const Policy& before, const Policy& after, ConfigurationDiff& changes) {
    add_difference("workers", before.workers, after.workers, changes);
    add_difference("ready-when", before.ready_when, after.ready_when, changes);
    add_difference("ready-timeout", before.ready_timeout, after.ready_timeout, changes);
    add_difference("settle", before.settle, after.settle, changes);
    add_difference("probation", before.probation, after.probation, changes);
    add_difference("min-ready", before.min_ready, after.min_ready, changes);
    add_difference("max-surge", before.max_surge, after.max_surge, changes);
    add_difference("max-unavailable", before.max_unavailable, after.max_unavailable, changes);
    add_difference("lame-duck", before.lame_duck, after.lame_duck, changes);
    add_difference("grace-period", before.grace_period, after.grace_period, changes);
    add_difference("cancel-period", before.cancel_period, after.cancel_period, changes);
    add_difference("max-extension", before.max_extension, after.max_extension, changes);
    add_difference("max-pause", before.max_pause, after.max_pause, changes);
    add_difference("backoff from", before.backoff_min, after.backoff_min, changes);
    add_difference("backoff to", before.backoff_max, after.backoff_max, changes);
    add_difference("watchdog", before.watchdog, after.watchdog, changes);
    add_difference("queue-for", before.queue_for, after.queue_for, changes);
    add_difference("stop-signal", before.stop_signal, after.stop_signal, changes);
    add_difference("cancel-signal", before.cancel_signal, after.cancel_signal, changes);
    // Workers depend on these two: by WATCHDOG_USEC, and by the descriptor of the private listener.
    if (before.watchdog != after.watchdog || is_private(before.ready_when) != is_private(after.ready_when)) {
        changes.workers = Reload::Workers::replace;
    }
}

bool are_equal(const std::vector<ResourceLimit>& one, const std::vector<ResourceLimit>& other) {
    if (one.size() != other.size()) return false;
    for (std::size_t index = 0; index < one.size(); ++index) {
        const auto &left = one[index], &right = other[index];
        if (left.resource != right.resource || left.soft != right.soft || left.hard != right.hard) return false;
    }
    return true;
}

// Compares what a worker is launched with. Values are not printed: the environment may contain secrets.
void compare_launches(const LaunchOptions& before, const LaunchOptions& after, ConfigurationDiff& changes) {
    const auto add_if_changed = [&](bool differs, const char* what) {
        if (!differs) return;
        changes.sentences.push_back(std::string("changes ") + what);
        changes.workers = Reload::Workers::replace;
    };
    add_if_changed(before.command != after.command, "the command");
    add_if_changed(before.user != after.user, "user");
    add_if_changed(before.group != after.group, "group");
    add_if_changed(before.chdir != after.chdir, "chdir");
    add_if_changed(before.umask != after.umask, "umask");
    add_if_changed(before.env_files != after.env_files, "env-file");
    add_if_changed(before.env != after.env, "env");
    add_if_changed(!are_equal(before.limits, after.limits), "limit");
    add_if_changed(before.privileges != after.privileges, "no-new-privileges");
    add_if_changed(before.standard_input != after.standard_input, "stdin");
    add_if_changed(before.output != after.output, "worker-output");
    if (before.pre_restart != after.pre_restart) changes.sentences.emplace_back("changes pre-restart");
}

bool are_equal(const std::vector<ListenAddress>& one, const std::vector<ListenAddress>& other) {
    ConfigurationDiff between;
    compare_listeners(one, other, between);
    return between.sentences.empty() && between.refusals.empty();
}

void compare_service(const Configuration& before, const Configuration& after, ConfigurationDiff& changes) {
    const auto refuse_if_changed = [&](bool differs, const char* what) {
        if (!differs) return;
        changes.refusals.push_back(std::string("cannot change ") + what +
                                   " while the service runs: it is only read at the start; stop the service and start "
                                   "it again");
    };
    refuse_if_changed(before.name != after.name, "name");
    refuse_if_changed(before.runtime_dir != after.runtime_dir, "runtime-dir");
    refuse_if_changed(before.state_dir != after.state_dir, "state-dir");
    refuse_if_changed(!are_equal(before.admin, after.admin), "admin");
    refuse_if_changed(before.orphans != after.orphans, "replace-orphans");
    refuse_if_changed(before.log_format != after.log_format, "log-format");
    refuse_if_changed(before.log_level != after.log_level, "log-level");
}

}  // namespace

ConfigurationDiff compare_configurations(const Configuration& in_force, const Configuration& next) {
    ConfigurationDiff changes;
    compare_service(in_force, next, changes);
    compare_listeners(in_force.listen, next.listen, changes);
    compare_launches(in_force.launch, next.launch, changes);
    compare_policies(in_force.policy, next.policy, changes);
    return changes;
}

std::string describe(const ConfigurationDiff& changes) {
    std::string text;
    for (const auto& sentence : changes.sentences) text += (text.empty() ? "" : "; ") + sentence;
    return text;
}

}  // namespace holdfast::core
