#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <thread>

#include "cli/option_table.hpp"
#include "parse_fixture.hpp"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(RunOptions, HaveTheDefaultsOfThePolicy) {
    const auto configuration = run_with("");
    const core::Policy& policy = configuration.policy;
    EXPECT_EQ(configuration.name, "srv");
    EXPECT_EQ(policy.workers, 1);
    EXPECT_TRUE(std::holds_alternative<core::ReadyAuto>(policy.ready_when));
    EXPECT_EQ(policy.ready_timeout, 60s);
    EXPECT_EQ(policy.settle, 1s);
    EXPECT_EQ(policy.max_surge.of(3), 3);
    EXPECT_EQ(policy.max_unavailable.of(3), 0);
    EXPECT_EQ(policy.lame_duck, 0s);
    EXPECT_EQ(policy.grace_period, 30s);
    EXPECT_EQ(policy.cancel_period, 5s);
    EXPECT_EQ(policy.max_extension, 0s);
    EXPECT_EQ(policy.max_pause, 10min);
    EXPECT_EQ(policy.backoff_min, 500ms);
    EXPECT_EQ(policy.backoff_max, 30s);
    EXPECT_EQ(policy.stop_signal, SIGTERM);
    EXPECT_EQ(policy.cancel_signal, 0);
    EXPECT_EQ(configuration.launch.output, WorkerOutput::tee);
    EXPECT_EQ(configuration.launch.standard_input, StandardInput::null);
    EXPECT_EQ(configuration.orphans, core::Orphans::refuse);
    EXPECT_EQ(configuration.log_level, "info");
    EXPECT_EQ(configuration.log_format, core::LogFormat::text);
}

// The defaults in the help and in the manual are the effective ones.
TEST(RunOptions, DocumentTheirEffectiveDefaults) {
    std::string explicit_defaults;
    for (const RunOption& option : run_options()) {
        if (option.spec.default_value.empty()) continue;
        explicit_defaults += " --" + std::string(option.spec.name) + " " + std::string(option.spec.default_value);
    }
    const auto given = run_with(explicit_defaults), omitted = run_with("");
    const auto durations = [](const core::Policy& policy) {
        return std::vector{policy.ready_timeout, policy.settle,        policy.lame_duck, policy.grace_period,
                           policy.cancel_period, policy.max_extension, policy.max_pause, policy.backoff_min,
                           policy.backoff_max,   policy.probation,     policy.watchdog,  policy.queue_for};
    };
    EXPECT_EQ(durations(given.policy), durations(omitted.policy));
    EXPECT_EQ(given.policy.workers, omitted.policy.workers);
    EXPECT_EQ(given.policy.min_ready, omitted.policy.min_ready);
    EXPECT_EQ(given.policy.ready_when.index(), omitted.policy.ready_when.index());
    EXPECT_EQ(given.policy.max_surge.of(7), omitted.policy.max_surge.of(7));
    EXPECT_EQ(given.policy.max_unavailable.of(7), omitted.policy.max_unavailable.of(7));
    EXPECT_EQ(given.policy.stop_signal, omitted.policy.stop_signal);
    EXPECT_EQ(given.policy.cancel_signal, omitted.policy.cancel_signal);
    EXPECT_EQ(given.launch.standard_input, omitted.launch.standard_input);
    EXPECT_EQ(given.launch.output, omitted.launch.output);
    EXPECT_EQ(given.log_level, omitted.log_level);
    EXPECT_EQ(given.log_format, omitted.log_format);
}

TEST(RunOptions, SetEachDurationOfThePolicy) {
    const auto policy = run_with(
                            "--ready-timeout 10s --settle 20ms --lame-duck 2s --grace-period 3m --cancel-period 4s "
                            "--max-extension 1h --max-pause=5s --backoff 100ms..1m")
                            .policy;
    EXPECT_EQ(policy.ready_timeout, 10s);
    EXPECT_EQ(policy.settle, 20ms);
    EXPECT_EQ(policy.lame_duck, 2s);
    EXPECT_EQ(policy.grace_period, 3min);
    EXPECT_EQ(policy.cancel_period, 4s);
    EXPECT_EQ(policy.max_extension, 1h);
    EXPECT_EQ(policy.max_pause, 5s);
    EXPECT_EQ(policy.backoff_min, 100ms);
    EXPECT_EQ(policy.backoff_max, 1min);
}

TEST(RunOptions, SetTheOtherFieldsOfThePolicy) {
    auto policy = run_with(
                      "--workers 8 --max-surge 25% --max-unavailable 2 --ready-when notify --stop-signal SIGINT "
                      "--cancel-signal quit")
                      .policy;
    EXPECT_EQ(policy.workers, 8);
    EXPECT_EQ(policy.max_surge.of(8), 2);
    EXPECT_EQ(policy.max_unavailable.of(8), 2);
    EXPECT_TRUE(std::holds_alternative<core::ReadyNotify>(policy.ready_when));
    EXPECT_EQ(policy.stop_signal, SIGINT);
    EXPECT_EQ(policy.cancel_signal, SIGQUIT);
    policy = run_with("--workers auto --ready-when alive:1500ms --stop-signal 12").policy;
    EXPECT_EQ(policy.workers, static_cast<int>(std::thread::hardware_concurrency()));
    EXPECT_EQ(std::get<core::ReadyAlive>(policy.ready_when).lived, 1500ms);
    EXPECT_EQ(policy.stop_signal, SIGUSR2);
}

TEST(RunOptions, SetTheLaunchOptions) {
    const auto launch =
        run_with(
            "--user www --group 33 --chdir /srv --umask 0027 --env A=1 --env B= --env HOLDFAST_HEALTH=:9 --env-file /a "
            "--env-file /b --limit nofile=1024:65536 --limit core=unlimited --limit memlock=64M "
            "--no-new-privileges --stdin inherit --worker-output inherit")
            .launch;
    EXPECT_THAT(launch.command, ElementsAre("./srv"));
    EXPECT_EQ(launch.user, "www");
    EXPECT_EQ(launch.group, "33");
    EXPECT_EQ(launch.chdir, "/srv");
    EXPECT_EQ(launch.umask, 0027U);
    EXPECT_THAT(launch.env, ElementsAre("A=1", "B=", "HOLDFAST_HEALTH=:9"));
    EXPECT_THAT(launch.env_files, ElementsAre("/a", "/b"));
    ASSERT_EQ(launch.limits.size(), 3U);
    EXPECT_EQ(launch.limits[0].resource, RLIMIT_NOFILE);
    EXPECT_EQ(launch.limits[0].soft, 1024U);
    EXPECT_EQ(launch.limits[0].hard, 65536U);
    EXPECT_EQ(launch.limits[1].soft, RLIM_INFINITY);
    EXPECT_EQ(launch.limits[2].hard, 64U << 20);
    EXPECT_EQ(launch.privileges, Privileges::no_new);
    EXPECT_EQ(launch.standard_input, StandardInput::inherit);
    EXPECT_EQ(launch.output, WorkerOutput::inherit);
}

TEST(RunOptions, SetNameDirectoriesListenersAndLog) {
    const auto configuration = run_with(
        "--name web --runtime-dir /run/web --listen http=:8080 --listen unix:/run/a.sock "
        "--replace-orphans --log-level debug --log-format json");
    EXPECT_EQ(configuration.name, "web");
    EXPECT_EQ(configuration.runtime_dir, "/run/web");
    ASSERT_EQ(configuration.listen.size(), 2U);
    EXPECT_EQ(configuration.listen[0].name, "http");
    EXPECT_EQ(configuration.listen[1].path, "/run/a.sock");
    EXPECT_EQ(configuration.orphans, core::Orphans::replace);
    EXPECT_EQ(configuration.log_level, "debug");
    EXPECT_EQ(configuration.log_format, core::LogFormat::json);
}

TEST(RunOptions, HaveTheNumbersOfTheKernelsResourceLimits) {
    const std::pair<const char*, int> limits[] = {{"cpu", RLIMIT_CPU},           {"fsize", RLIMIT_FSIZE},
                                                  {"data", RLIMIT_DATA},         {"stack", RLIMIT_STACK},
                                                  {"core", RLIMIT_CORE},         {"rss", RLIMIT_RSS},
                                                  {"nproc", RLIMIT_NPROC},       {"nofile", RLIMIT_NOFILE},
                                                  {"memlock", RLIMIT_MEMLOCK},   {"as", RLIMIT_AS},
                                                  {"locks", RLIMIT_LOCKS},       {"sigpending", RLIMIT_SIGPENDING},
                                                  {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
                                                  {"rtprio", RLIMIT_RTPRIO},     {"rttime", RLIMIT_RTTIME}};
    for (const auto& [name, number] : limits) {
        EXPECT_EQ(run_with("--limit " + std::string(name) + "=1").launch.limits.at(0).resource, number) << name;
    }
}

TEST(RunOptions, DoNotParseTheCommandAfterTheDashes) {
    const auto configuration = run_with(words("run --workers 2 -- ./srv --workers 3 -- x"));
    EXPECT_EQ(configuration.policy.workers, 2);
    EXPECT_THAT(configuration.launch.command, ElementsAre("./srv", "--workers", "3", "--", "x"));
}

struct Wrong {
    std::string options;
    std::vector<std::string> message;  // parts of it
};
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.options; }

class WrongOption : public testing::TestWithParam<Wrong> {};

TEST_P(WrongOption, IsRejectedWithWhatIsAccepted) {
    const std::string text = refusal_of("run " + GetParam().options + " -- ./srv");
    EXPECT_THAT(text, StartsWith("run: "));
    for (const std::string& part : GetParam().message) EXPECT_THAT(text, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(
    Spelling, WrongOption,
    testing::Values(Wrong{"--graec-period 3s", {"no option --graec-period", "did you mean --grace-period DURATION?"}},
                    Wrong{"--listne :80", {"did you mean --listen [NAME=]ADDRESS?"}},
                    Wrong{"--Workers 3", {"did you mean --workers N|auto?"}},
                    Wrong{"-workers 3", {"no option -workers", "did you mean --workers"}},
                    Wrong{"-n web", {"no option -n"}}, Wrong{"--worker 3", {"did you mean --workers"}},
                    Wrong{"--l :80", {"no option --l", "--help lists them"}},
                    Wrong{"--probaton 3s", {"no option --probaton", "did you mean --probation DURATION?"}},
                    Wrong{"--wholly-unknown", {"no option --wholly-unknown"}},
                    Wrong{"--workers", {"a value is missing: --workers N|auto"}},
                    Wrong{"--grace-period --settle 1s", {"a value is missing: --grace-period DURATION"}},
                    Wrong{"--no-new-privileges=yes", {"--no-new-privileges takes no value"}},
                    Wrong{"--workers 2 --workers 3", {"--workers is given twice"}}));

INSTANTIATE_TEST_SUITE_P(
    Values, WrongOption,
    testing::Values(
        Wrong{"--workers 0", {"--workers: \"0\"", "from 1 to 4096", "auto"}}, Wrong{"--workers -1", {"from 1 to 4096"}},
        Wrong{"--workers 4097", {"from 1 to 4096"}}, Wrong{"--workers two", {"\"two\"", "auto"}},
        Wrong{"--grace-period 5", {"--grace-period: \"5\"", "\"5s\""}},
        Wrong{"--grace-period infinite", {"--grace-period: \"infinite\" is refused"}},
        Wrong{"--cancel-period infinity", {"refused"}}, Wrong{"--lame-duck forever", {"refused"}},
        Wrong{"--settle 1sec", {"--settle:", "did you mean \"s\"?"}}, Wrong{"--max-pause -1s", {"--max-pause:"}},
        Wrong{"--max-extension x", {"--max-extension:", "duration"}},
        Wrong{"--ready-timeout 0s", {"--ready-timeout: \"0s\" is refused", "longer than 0"}},
        Wrong{"--max-pause 0s", {"longer than 0"}},
        Wrong{"--backoff 1s", {"--backoff: \"1s\" is not a range", "MIN..MAX"}},
        Wrong{"--backoff 2s..1s", {"MIN is longer than MAX"}}, Wrong{"--backoff 0s..1s", {"busy loop"}},
        Wrong{"--backoff 1s..x", {"--backoff:", "duration"}}, Wrong{"--max-surge 101%", {"--max-surge:", "25%"}},
        Wrong{"--max-surge many", {"--max-surge:", "a count like 2"}}, Wrong{"--max-unavailable %", {"25%"}},
        Wrong{"--stop-signal TREM", {"--stop-signal: \"TREM\" is not a valid signal", "did you mean TERM?"}},
        Wrong{"--stop-signal KILL", {"refused", "no process can catch it"}}, Wrong{"--stop-signal 19", {"refused"}},
        Wrong{"--cancel-signal SIGKILL", {"refused", "or none"}},
        Wrong{"--stop-signal 0", {"not a valid signal: write TERM"}},
        Wrong{"--umask 888", {"--umask: \"888\"", "octal"}}, Wrong{"--umask 1777", {"0777"}},
        Wrong{"--env PATH", {"--env: \"PATH\"", "NAME=VALUE"}}, Wrong{"--env =x", {"NAME=VALUE"}},
        Wrong{"--env LISTEN_FDS=3", {"refused", "holdfast itself"}}, Wrong{"--env HOLDFAST_SLOT=3", {"refused"}},
        Wrong{"--limit nofle=3", {"did you mean nofile?", "rttime"}}, Wrong{"--limit nofile", {"nofile=VALUE"}},
        Wrong{"--limit nofile=9:3", {"the soft limit is above the hard one"}},
        Wrong{"--limit nofile=1K", {"--limit: nofile:", "or unlimited"}},
        Wrong{"--limit core=many", {"--limit: core:"}},
        Wrong{"--stdin nul", {"--stdin: \"nul\"", "did you mean null?", "null or inherit"}},
        Wrong{"--worker-output te", {"did you mean tee?"}},
        Wrong{"--worker-output journal", {"not part of this version", "tee or inherit"}},
        Wrong{"--worker-output /var/log/x", {"not part of this version"}},
        Wrong{"--log-level warn", {"--log-level:", "debug, info, warning or error"}},
        Wrong{"--log-format jsno", {"did you mean json?"}},
        Wrong{"--name a/b", {"--name: \"a/b\" is not a valid name"}}, Wrong{"--name ..", {"is not a valid name"}},
        Wrong{"--name=", {"a value is missing: --name NAME"}}, Wrong{"--chdir=", {"a value is missing: --chdir DIR"}}));

INSTANTIATE_TEST_SUITE_P(
    Readiness, WrongOption,
    testing::Values(Wrong{"--ready-when notfy", {"--ready-when: \"notfy\"", "did you mean notify?", "alive:DURATION"}},
                    Wrong{"--ready-when alive", {"write alive:1s"}}, Wrong{"--ready-when alive:0s", {"longer than 0"}},
                    Wrong{"--ready-when tcp:127.0.0.1:8080 --listen :8080",
                          {"an address that holdfast holds", "any worker, or none, may have answered"}},
                    Wrong{"--listen 127.0.0.1:8080 --ready-when http:127.0.0.1:8080/health", {"any worker, or none"}},
                    Wrong{"--listen 8080 --ready-when http://localhost:8080/health", {"any worker, or none"}},
                    Wrong{"--listen [::]:8080 --ready-when tcp:[::1]:8080", {"any worker, or none"}},
                    Wrong{"--listen unix:/run/a --ready-when tcp:unix:/run/a", {"any worker, or none"}},
                    Wrong{"--admin :9900 --ready-when http:127.0.0.1:9900/readyz",
                          {"proves nothing", "the address of --admin"}},
                    Wrong{"--ready-when tcp:example.org:80", {"does not contain a valid address", "127.0.0.1:9000"}},
                    Wrong{"--ready-when tcp:", {"does not contain a valid address"}},
                    Wrong{"--ready-when tcp", {"write tcp:ADDRESS"}}, Wrong{"--ready-when tcp:127.0.0.1:0", {"port 0"}},
                    Wrong{"--ready-when http:fd:3/x", {"not an address to connect to"}},
                    Wrong{"--min-ready 3 --workers 2", {"--min-ready: 3 is more than the number of workers, 2"}},
                    Wrong{"--admin fd:3", {"--admin:", "binds itself"}},
                    Wrong{"--listen :80 --admin 127.0.0.1:80", {"--admin:", "in use by --listen"}}));

TEST(RunOptions, RejectAPathThatCouldInjectAHeader) {
    EXPECT_THAT(refusal_of({"run", "--ready-when", "http:/a b", "--", "x"}), HasSubstr("no blanks"));
    EXPECT_THAT(refusal_of({"run", "--ready-when", "http:/a\r\nX: y", "--", "x"}), HasSubstr("no blanks"));
}

core::ReadyProbe probe_of(const std::string& text) {
    const auto policy = run_with("--ready-when " + text).policy;
    const auto* probe = std::get_if<core::ReadyProbe>(&policy.ready_when);
    return probe == nullptr ? core::ReadyProbe{} : *probe;
}

TEST(RunOptions, ParseProbes) {
    using How = core::ReadyProbe::How;
    using Where = core::ReadyProbe::Where;
    EXPECT_EQ(probe_of("tcp:127.0.0.1:9000").how, How::tcp);
    EXPECT_EQ(probe_of("tcp:127.0.0.1:9000").address, "127.0.0.1:9000");
    EXPECT_EQ(probe_of("tcp::9000").address, "127.0.0.1:9000");
    EXPECT_EQ(probe_of("tcp:[::]:9000").address, "[::1]:9000");
    EXPECT_EQ(probe_of("tcp:unix:/run/x.sock").address, "unix:/run/x.sock");
    EXPECT_EQ(probe_of("http:127.0.0.1:9000/up?x=1").how, How::http);
    EXPECT_EQ(probe_of("http:127.0.0.1:9000/up?x=1").path, "/up?x=1");
    EXPECT_EQ(probe_of("http://localhost:9000/up").address, "127.0.0.1:9000");
    EXPECT_EQ(probe_of("http:127.0.0.1:9000").path, "/");
    EXPECT_EQ(probe_of("http:unix:/run/x.sock:/up").address, "unix:/run/x.sock");
    EXPECT_EQ(probe_of("http:unix:/run/x.sock:/up").path, "/up");
    EXPECT_EQ(probe_of("http:/up").where, Where::private_listener);
    EXPECT_EQ(probe_of("http:/up").path, "/up");
    EXPECT_EQ(probe_of("http:/up").address, "");
    EXPECT_EQ(probe_of("http:127.0.0.1:9000/up").where, Where::address);
}

TEST(RunOptions, SetTheOptionsOfRolloutsAndProbes) {
    const auto configuration = run_with(
        "--state-dir /var/lib/web --probation 30s --min-ready 1 --pre-restart ./check --watchdog 5s --queue-for 2s "
        "--admin 127.0.0.1:9900");
    EXPECT_EQ(configuration.state_dir, "/var/lib/web");
    EXPECT_EQ(configuration.policy.probation, 30s);
    EXPECT_EQ(configuration.policy.min_ready, 1);
    EXPECT_EQ(configuration.launch.pre_restart, "./check");
    EXPECT_EQ(configuration.policy.watchdog, 5s);
    EXPECT_EQ(configuration.policy.queue_for, 2s);
    ASSERT_EQ(configuration.admin.size(), 1U);
    EXPECT_EQ(configuration.admin[0].port, 9900);
}

INSTANTIATE_TEST_SUITE_P(
    Addresses, WrongOption,
    testing::Values(Wrong{"--listen 99999", {"--listen: cannot listen on \"99999\"", "65535"}},
                    Wrong{"--listen :80?backlgo=3", {"did you mean \"backlog\"?"}},
                    Wrong{"--listen unx:/run/a", {"did you mean \"unix\"?"}},
                    Wrong{"--listen udp:53", {"not part of this version"}},
                    Wrong{"--listen :80 --listen :80", {"--listen: cannot listen on \":80\" twice"}},
                    Wrong{"--listen a=:80 --listen a=:81", {"--listen: cannot name two listeners \"a\""}}));

TEST(RunOptions, RejectPlannedOptionsByName) {
    for (const std::string_view planned : planned_run_options()) {
        EXPECT_EQ(refusal_of("run --" + std::string(planned) + " 1 -- ./srv"),
                  "run: --" + std::string(planned) + " is not part of this version");
    }
}

TEST(Run, RequiresACommandAfterTheDashes) {
    EXPECT_THAT(refusal_of("run"), HasSubstr("holdfast run [OPTIONS] -- COMMAND"));
    EXPECT_THAT(refusal_of("run --"), HasSubstr("there is no command to run"));
    EXPECT_THAT(refusal_of("run --workers 2 ./srv"), HasSubstr("\"./srv\" is not an option; the command must follow"));
    EXPECT_THAT(refusal_of("run x -- ./srv"), HasSubstr("\"x\" is not an option"));
    EXPECT_THAT(refusal_of({"run", "--chdir", "", "--", "x"}), HasSubstr("--chdir: the value is empty"));
    EXPECT_THAT(refusal_of({"run", "--name", "", "--", "x"}), HasSubstr("--name: \"\" is not a valid name"));
    EXPECT_THAT(refusal_of({"run", "--", ""}), HasSubstr("the command is empty"));
}

}  // namespace
}  // namespace holdfast::cli
