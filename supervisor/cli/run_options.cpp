#include <algorithm>
#include <array>
#include <thread>

#include "base/parse.hpp"
#include "cli/option_table.hpp"
#include "cli/probe.hpp"
#include "cli/values.hpp"

namespace holdfast::cli {
namespace {

using Value = std::string_view;

// Moves a value that could be understood to its place.
template <class T, class Place>
Result<void> put(Result<T> value, Place& place) {
    if (!value) return value.error();
    place = static_cast<Place>(*std::move(value));
    return {};
}

Result<std::string> parse_text(Value text) {
    if (text.empty()) return error("it is empty");
    return std::string(text);
}

Result<Duration> parse_positive(Value text) {
    auto duration = parse_duration(text);
    if (duration && duration->count() == 0)
        return error(in_quotes(text) + " is refused: it must be longer than nothing");
    return duration;
}

template <auto member>
Result<void> set_policy_duration(Value text, RunDraft& draft) {
    return put(parse_duration(text), draft.configuration.policy.*member);
}
template <auto member>
Result<void> set_policy_share(Value text, RunDraft& draft) {
    return put(parse_share(text), draft.configuration.policy.*member);
}
template <auto member>
Result<void> set_launch_text(Value text, RunDraft& draft) {
    return put(parse_text(text), draft.configuration.launch.*member);
}

Result<void> set_name(Value text, RunDraft& draft) { return put(parse_name(text), draft.configuration.name); }

template <auto member>
Result<void> set_text(Value text, RunDraft& draft) {
    return put(parse_text(text), draft.configuration.*member);
}

Result<void> add_listener(Value text, RunDraft& draft) {
    auto address = parse_listen_address(text);
    if (!address) return address.error();
    draft.configuration.listen.push_back(*std::move(address));
    return {};
}

Result<void> set_admin(Value text, RunDraft& draft) {
    auto address = parse_listen_address(text);
    if (!address) return address.error();
    if (address->family == Family::descriptor || address->family == Family::systemd) {
        return error(in_quotes(text) + " is refused: it takes an address that holdfast binds itself");
    }
    draft.configuration.admin.assign(1, *std::move(address));
    return {};
}

Result<void> set_min_ready(Value text, RunDraft& draft) {
    return put(parse_count(text, 0, core::max_workers), draft.configuration.policy.min_ready);
}

Result<void> set_workers(Value text, RunDraft& draft) {
    int& workers = draft.configuration.policy.workers;
    if (text == "auto") {
        workers = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, core::max_workers);
        return {};
    }
    const auto count = parse_count(text, 1, core::max_workers);
    if (!count) return error(count.error().text + ", or auto: one for each processor");
    workers = static_cast<int>(*count);
    return {};
}

Result<void> set_umask(Value text, RunDraft& draft) {
    return put(parse_umask(text), draft.configuration.launch.umask.emplace());
}

Result<void> add_environment(Value text, RunDraft& draft) {
    auto& entries = draft.configuration.launch.env;
    return put(parse_environment_entry(text), entries.emplace_back());
}

Result<void> add_environment_file(Value text, RunDraft& draft) {
    return put(parse_text(text), draft.configuration.launch.env_files.emplace_back());
}

Result<void> add_limit(Value text, RunDraft& draft) {
    return put(parse_limit(text), draft.configuration.launch.limits.emplace_back());
}

Result<void> set_no_new_privileges(Value, RunDraft& draft) {
    draft.configuration.launch.privileges = Privileges::no_new;
    return {};
}

Result<void> set_stdin(Value text, RunDraft& draft) {
    return put(parse_choice(text, std::array<Value, 2>{"null", "inherit"}), draft.configuration.launch.standard_input);
}

Result<void> set_worker_output(Value text, RunDraft& draft) {
    if (text == "prefix" || text == "journal" || text.find('/') != text.npos) {
        return error(in_quotes(text) + " is not part of this version: it is tee or inherit");
    }
    return put(parse_choice(text, std::array<Value, 2>{"tee", "inherit"}), draft.configuration.launch.output);
}

Result<void> set_ready_when(Value text, RunDraft& draft) {
    core::ReadyWhen& when = draft.configuration.policy.ready_when;
    const std::string taken = "it is auto, notify, alive:DURATION, tcp:ADDRESS, http:ADDRESS/PATH or http:/PATH";
    if (text.starts_with("tcp:") || text.starts_with("http:")) {
        draft.probe = text;
        return put(parse_probe(text), when.emplace<core::ReadyProbe>());
    }
    if (text.starts_with("alive:")) {
        return put(parse_positive(text.substr(6)), when.emplace<core::ReadyAlive>().lived);
    }
    if (text == "tcp" || text == "http") return error("an address is missing: write tcp:ADDRESS or http:ADDRESS/PATH");
    if (text == "alive") return error("a duration is missing: write alive:1s");
    const auto choice = parse_choice(text, std::array<Value, 2>{"auto", "notify"});
    if (!choice) {
        return error(in_quotes(text) + " is not taken" +
                     hint(text, std::array<Value, 3>{"auto", "notify", "alive:1s"}) + ": " + taken);
    }
    *choice == 0 ? void(when = core::ReadyAuto{}) : void(when = core::ReadyNotify{});
    return {};
}

Result<void> set_ready_timeout(Value text, RunDraft& draft) {
    return put(parse_positive(text), draft.configuration.policy.ready_timeout);
}

Result<void> set_stop_signal(Value text, RunDraft& draft) {
    return put(parse_signal(text), draft.configuration.policy.stop_signal);
}

Result<void> set_cancel_signal(Value text, RunDraft& draft) {
    int& signal = draft.configuration.policy.cancel_signal;
    if (text == "none") {
        signal = 0;
        return {};
    }
    const auto parsed = parse_signal(text);
    if (!parsed) return error(parsed.error().text + ", or none");
    signal = *parsed;
    return {};
}

Result<void> set_max_pause(Value text, RunDraft& draft) {
    return put(parse_positive(text), draft.configuration.policy.max_pause);
}

Result<void> set_backoff(Value text, RunDraft& draft) {
    const auto backoff = parse_backoff(text);
    if (!backoff) return backoff.error();
    draft.configuration.policy.backoff_min = backoff->min;
    draft.configuration.policy.backoff_max = backoff->max;
    return {};
}

Result<void> set_log_level(Value text, RunDraft& draft) {
    constexpr std::array<Value, 4> levels{"debug", "info", "warning", "error"};
    const auto level = parse_choice(text, levels);
    if (!level) return level.error();
    draft.configuration.log_level = levels[*level];
    return {};
}

Result<void> set_log_format(Value text, RunDraft& draft) {
    return put(parse_choice(text, std::array<Value, 2>{"text", "json"}), draft.configuration.log_format);
}

Result<void> set_replace_orphans(Value, RunDraft& draft) {
    draft.configuration.orphans = core::Orphans::replace;
    return {};
}

constexpr std::array table = {
    RunOption{{"name", "NAME", "", "the service's name; without it the command's or the script's base name"}, set_name},
    RunOption{{"config", "FILE", "", "read options from a file; the command line wins"},
              set_text<&core::Configuration::file>},
    RunOption{{"runtime-dir", "DIR", "", "where the API socket and the lock lie"},
              set_text<&core::Configuration::runtime_dir>},
    RunOption{{"state-dir", "DIR", "", "where the history of generations lies"},
              set_text<&core::Configuration::state_dir>},
    RunOption{{"listen", "[NAME=]ADDRESS", "", "hold this socket and hand it to every worker; may be repeated"},
              add_listener,
              Repeat::yes},
    RunOption{{"workers", "N|auto", "1", "how many workers serve; auto: one for each processor"}, set_workers},
    RunOption{{"user", "USER", "", "whom the workers run as"}, set_launch_text<&LaunchOptions::user>},
    RunOption{{"group", "GROUP", "", "their group; without it the user's"}, set_launch_text<&LaunchOptions::group>},
    RunOption{{"chdir", "DIR", "", "their directory, resolved anew for each generation"},
              set_launch_text<&LaunchOptions::chdir>},
    RunOption{{"umask", "MODE", "", "their file mode mask, octal"}, set_umask},
    RunOption{
        {"env", "NAME=VALUE", "", "one more environment variable; may be repeated"}, add_environment, Repeat::yes},
    RunOption{{"env-file", "FILE", "", "variables from a file, read anew for each generation; may be repeated"},
              add_environment_file,
              Repeat::yes},
    RunOption{{"limit", "RESOURCE=VALUE", "", "a resource limit, VALUE or SOFT:HARD; may be repeated"},
              add_limit,
              Repeat::yes},
    RunOption{{"no-new-privileges", "", "", "workers gain no privileges by executing set-user-ID programs"},
              set_no_new_privileges},
    RunOption{{"stdin", "null|inherit", "null", "what workers read as standard input"}, set_stdin},
    RunOption{{"worker-output", "tee|inherit", "tee", "tee: standard error is copied and its last lines are kept"},
              set_worker_output},
    RunOption{{"ready-when", "WAY", "auto",
               "what makes a new worker ready: auto, notify, alive:DURATION or a probe;\n"
               "tcp:ADDRESS and http:ADDRESS/PATH ask at an address that it binds itself;\n"
               "http:/PATH asks this worker alone, on a private listener: holdfast adds\n"
               "one more socket, named probe and last in LISTEN_FDNAMES, for it to accept on"},
              set_ready_when},
    RunOption{{"ready-timeout", "DURATION", "60s", "by when it must be"}, set_ready_timeout},
    RunOption{{"settle", "DURATION", "1s", "how long a ready worker must live before a rollout counts on it"},
              set_policy_duration<&core::Policy::settle>},
    RunOption{{"probation", "DURATION", "0s", "how long after a restart the old workers can still be had back"},
              set_policy_duration<&core::Policy::probation>},
    RunOption{{"min-ready", "N", "1", "with fewer ready workers /readyz says no"}, set_min_ready},
    RunOption{{"pre-restart", "COMMAND", "", "a shell command that may veto a new generation"},
              set_launch_text<&LaunchOptions::pre_restart>},
    RunOption{{"max-surge", "N|PERCENT%", "100%", "how many more workers than asked for a restart may run"},
              set_policy_share<&core::Policy::max_surge>},
    RunOption{{"max-unavailable", "N|PERCENT%", "0", "how many fewer ready ones it may leave"},
              set_policy_share<&core::Policy::max_unavailable>},
    RunOption{{"lame-duck", "DURATION", "0s", "before a stop: serve on, but report unready"},
              set_policy_duration<&core::Policy::lame_duck>},
    RunOption{{"grace-period", "DURATION", "30s", "how long a draining worker may finish its requests"},
              set_policy_duration<&core::Policy::grace_period>},
    RunOption{{"cancel-period", "DURATION", "5s", "how long it may then abandon what is left, before it is killed"},
              set_policy_duration<&core::Policy::cancel_period>},
    RunOption{{"stop-signal", "SIGNAL", "TERM", "drain, for workers that know signals alone"}, set_stop_signal},
    RunOption{{"cancel-signal", "SIGNAL|none", "none", "cancel, for workers that know signals alone"},
              set_cancel_signal},
    RunOption{{"max-extension", "DURATION", "0s", "how much a worker may add to one deadline in all"},
              set_policy_duration<&core::Policy::max_extension>},
    RunOption{{"max-pause", "DURATION", "10m", "how long the service may be paused"}, set_max_pause},
    RunOption{{"backoff", "MIN..MAX", "500ms..30s", "pauses before crashed workers are replaced; the first is at once"},
              set_backoff},
    RunOption{
        {"watchdog", "DURATION", "0s", "the longest silence of a worker that promised to speak; 0s: nobody listens"},
        set_policy_duration<&core::Policy::watchdog>},
    RunOption{{"queue-for", "DURATION", "10s", "how long clients wait while nobody serves, before they are refused"},
              set_policy_duration<&core::Policy::queue_for>},
    RunOption{{"admin", "ADDRESS", "", "answer health probes here: /livez, /readyz, /healthz"}, set_admin},
    RunOption{{"replace-orphans", "", "", "stop workers of a former supervisor that still hold an address"},
              set_replace_orphans},
    RunOption{{"log-level", "debug|info|warning|error", "info", "the least important lines to log"}, set_log_level},
    RunOption{{"log-format", "text|json", "text", "sentences, or one JSON object a line"}, set_log_format},
};

}  // namespace

std::span<const RunOption> run_options() { return table; }

std::span<const std::string_view> planned_run_options() {
    static constexpr std::array<std::string_view, 11> planned{
        "accept",     "nice",         "cpu-affinity",      "cgroup",      "speak", "max-crashes", "max-age",
        "max-memory", "max-requests", "abort-before-kill", "orphan-grace"};
    return planned;
}

}  // namespace holdfast::cli
