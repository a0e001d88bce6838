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

// Assigns a parsed value to `target`, or returns the error.
template <class T, class Target>
Result<void> put(Result<T> value, Target& target) {
    if (!value) return value.error();
    target = static_cast<Target>(*std::move(value));
    return {};
}

Result<std::string> parse_text(Value text) {
    if (text.empty()) return error("the value is empty");
    return std::string(text);
}

Result<Duration> parse_positive(Value text) {
    auto duration = parse_duration(text);
    if (duration && duration->count() == 0)
        return error(in_quotes(text) + " is refused: the duration must be longer than 0");
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
        return error(in_quotes(text) + " is refused: it must be an address that holdfast binds itself");
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
    if (!count) return error(count.error().text + ", or auto for one per processor");
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
        return error(in_quotes(text) + " is not part of this version: expected tee or inherit");
    }
    return put(parse_choice(text, std::array<Value, 2>{"tee", "inherit"}), draft.configuration.launch.output);
}

Result<void> set_ready_when(Value text, RunDraft& draft) {
    core::ReadyWhen& when = draft.configuration.policy.ready_when;
    const std::string forms = "auto, notify, alive:DURATION, tcp:ADDRESS, http:ADDRESS/PATH or http:/PATH";
    if (text.starts_with("tcp:") || text.starts_with("http:")) {
        draft.probe = text;
        return put(parse_probe(text), when.emplace<core::ReadyProbe>());
    }
    if (text.starts_with("alive:")) {
        return put(parse_positive(text.substr(6)), when.emplace<core::ReadyAlive>().lived);
    }
    if (text == "tcp" || text == "http") return error("the address is missing: write tcp:ADDRESS or http:ADDRESS/PATH");
    if (text == "alive") return error("the duration is missing: write alive:1s");
    const auto choice = parse_choice(text, std::array<Value, 2>{"auto", "notify"});
    if (!choice) {
        const std::string meant = hint(text, std::array<Value, 3>{"auto", "notify", "alive:1s"});
        return error(in_quotes(text) + " is not a valid value" +
                     (meant.empty() ? ": expected " : meant + " Expected ") + forms);
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
    RunOption{{"name", "NAME", "", "name of the service; by default the base name of the command or script"}, set_name},
    RunOption{{"config", "FILE", "", "read options from a file; the command line takes precedence"},
              set_text<&core::Configuration::file>},
    RunOption{{"runtime-dir", "DIR", "", "directory of the API socket and the lock"},
              set_text<&core::Configuration::runtime_dir>},
    RunOption{{"state-dir", "DIR", "", "directory of the history of generations"},
              set_text<&core::Configuration::state_dir>},
    RunOption{{"listen", "[NAME=]ADDRESS", "", "listen here and pass the socket to every worker; may be repeated"},
              add_listener,
              Repeat::yes},
    RunOption{{"workers", "N|auto", "1", "number of workers; auto: one per processor"}, set_workers},
    RunOption{{"user", "USER", "", "user of the workers"}, set_launch_text<&LaunchOptions::user>},
    RunOption{{"group", "GROUP", "", "group of the workers; by default that of the user"},
              set_launch_text<&LaunchOptions::group>},
    RunOption{{"chdir", "DIR", "", "directory of the workers, resolved again for each generation"},
              set_launch_text<&LaunchOptions::chdir>},
    RunOption{{"umask", "MODE", "", "file mode mask of the workers, octal"}, set_umask},
    RunOption{{"env", "NAME=VALUE", "", "set an environment variable of the workers; may be repeated"},
              add_environment,
              Repeat::yes},
    RunOption{{"env-file", "FILE", "", "read variables from a file, again for each generation; may be repeated"},
              add_environment_file,
              Repeat::yes},
    RunOption{{"limit", "RESOURCE=VALUE", "", "set a resource limit, VALUE or SOFT:HARD; may be repeated"},
              add_limit,
              Repeat::yes},
    RunOption{{"no-new-privileges", "", "", "workers gain no privileges by executing set-user-ID programs"},
              set_no_new_privileges},
    RunOption{{"stdin", "null|inherit", "null", "standard input of the workers"}, set_stdin},
    RunOption{{"worker-output", "tee|inherit", "tee", "tee: copy standard error and keep its last lines"},
              set_worker_output},
    RunOption{{"ready-when", "WAY", "auto",
               "when a new worker is ready: auto, notify, alive:DURATION or a probe;\n"
               "tcp:ADDRESS and http:ADDRESS/PATH probe an address that the worker binds;\n"
               "http:/PATH probes each worker on its own private listener: holdfast passes\n"
               "one more socket, named probe and last in LISTEN_FDNAMES, to accept on"},
              set_ready_when},
    RunOption{{"ready-timeout", "DURATION", "60s", "time limit for a new worker to become ready"}, set_ready_timeout},
    RunOption{{"settle", "DURATION", "1s", "how long a ready worker must keep running before a rollout counts it"},
              set_policy_duration<&core::Policy::settle>},
    RunOption{
        {"probation", "DURATION", "0s", "how long the old workers are kept after a restart, to return on failure"},
        set_policy_duration<&core::Policy::probation>},
    RunOption{{"min-ready", "N", "1", "with fewer ready workers, /readyz returns 503"}, set_min_ready},
    RunOption{{"pre-restart", "COMMAND", "", "shell command that can veto a new generation"},
              set_launch_text<&LaunchOptions::pre_restart>},
    RunOption{{"max-surge", "N|PERCENT%", "100%", "how many extra workers may run during a restart"},
              set_policy_share<&core::Policy::max_surge>},
    RunOption{{"max-unavailable", "N|PERCENT%", "0", "how many ready workers may be missing during a restart"},
              set_policy_share<&core::Policy::max_unavailable>},
    RunOption{{"lame-duck", "DURATION", "0s", "before a stop: keep serving, but report unready"},
              set_policy_duration<&core::Policy::lame_duck>},
    RunOption{{"grace-period", "DURATION", "30s", "how long a draining worker may take to finish its requests"},
              set_policy_duration<&core::Policy::grace_period>},
    RunOption{{"cancel-period", "DURATION", "5s", "how long it may then take to abandon its work, before it is killed"},
              set_policy_duration<&core::Policy::cancel_period>},
    RunOption{{"stop-signal", "SIGNAL", "TERM", "drain signal, for workers without the protocol"}, set_stop_signal},
    RunOption{{"cancel-signal", "SIGNAL|none", "none", "cancel signal, for workers without the protocol"},
              set_cancel_signal},
    RunOption{{"max-extension", "DURATION", "0s", "how much time in total a worker may add to a deadline"},
              set_policy_duration<&core::Policy::max_extension>},
    RunOption{{"max-pause", "DURATION", "10m", "after this time a paused service resumes by itself"}, set_max_pause},
    RunOption{{"backoff", "MIN..MAX", "500ms..30s", "delay before a worker that crashes repeatedly is replaced"},
              set_backoff},
    RunOption{{"watchdog", "DURATION", "0s", "replace a worker that stops reporting for this long; 0s: never"},
              set_policy_duration<&core::Policy::watchdog>},
    RunOption{{"queue-for", "DURATION", "10s", "how long clients wait while no worker serves, before they are refused"},
              set_policy_duration<&core::Policy::queue_for>},
    RunOption{{"admin", "ADDRESS", "", "serve health probes here: /livez, /readyz, /healthz"}, set_admin},
    RunOption{{"replace-orphans", "", "", "stop workers of an earlier supervisor that still hold an address"},
              set_replace_orphans},
    RunOption{{"log-level", "debug|info|warning|error", "info", "lowest level that is logged"}, set_log_level},
    RunOption{{"log-format", "text|json", "text", "sentences, or one JSON object per line"}, set_log_format},
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
