#include "cli/commands.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <sstream>

#include "base/exit_status.hpp"
#include "cli/exit_codes.hpp"
#include "cli/option_table.hpp"
#include "cli/signal_table.hpp"
#include "core/signal_requests.hpp"
#include "parse_fixture.hpp"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

ClientCommand client_of(const std::string& line) {
    const Command command = parse(words(line));
    const auto* client = std::get_if<ClientCommand>(&command);
    if (client != nullptr) return *client;
    ADD_FAILURE() << refusal_of(line);
    return {};
}

TEST(Commands, ParseTheirArguments) {
    EXPECT_EQ(client_of("restart").verb, Verb::restart);
    EXPECT_EQ(client_of("restart").name, "");
    EXPECT_EQ(client_of("restart").wait, api::Wait::for_outcome);
    EXPECT_EQ(client_of("stop web").verb, Verb::stop);
    EXPECT_EQ(client_of("stop web --no-wait").name, "web");
    EXPECT_EQ(client_of("stop web --no-wait").wait, api::Wait::no);
    EXPECT_EQ(client_of("status --json web").format, Format::json);
    EXPECT_EQ(client_of("status --runtime-dir /run/web").runtime_dir, "/run/web");
    EXPECT_EQ(client_of("scale 4").workers, 4);
    EXPECT_EQ(client_of("scale web 0").workers, 0);
    EXPECT_EQ(client_of("scale web 0").name, "web");
}

TEST(Commands, ParseTheirOwnArgumentsAndSwitches) {
    EXPECT_EQ(client_of("reload web --dry-run").dry_run, DryRun::yes);
    EXPECT_EQ(client_of("reload").dry_run, DryRun::no);
    EXPECT_EQ(client_of("status --watch").watch, Watch::on);
    EXPECT_EQ(client_of("history --state-dir /var/lib/web").state_dir, "/var/lib/web");
    EXPECT_EQ(client_of("why 1.0").worker, "1.0");
    EXPECT_EQ(client_of("why web 12.3").worker, "12.3");
    EXPECT_EQ(client_of("why web 12.3").name, "web");
    EXPECT_EQ(client_of("logs").worker, "");
    EXPECT_EQ(client_of("logs web").name, "web");
    EXPECT_EQ(client_of("logs 1.0").worker, "1.0");
    EXPECT_EQ(client_of("logs 1.").name, "1.");
    EXPECT_EQ(client_of("rollback --no-wait").verb, Verb::rollback);
    EXPECT_EQ(client_of("undo web").verb, Verb::undo);
    EXPECT_EQ(client_of("pause").verb, Verb::pause);
    EXPECT_EQ(client_of("resume").verb, Verb::resume);
    EXPECT_EQ(client_of("events").verb, Verb::events);
}

TEST(Commands, CheckTakesTheArgumentsOfRun) {
    const Command command = parse(words("check --name web --workers 3 -- ./srv"));
    const auto* check = std::get_if<CheckCommand>(&command);
    ASSERT_NE(check, nullptr);
    EXPECT_EQ(check->configuration.policy.workers, 3);
    EXPECT_THAT(refusal_of("check --wrokers 3 -- ./srv"), StartsWith("check: there is no option --wrokers"));
    EXPECT_THAT(refusal_of("check"), HasSubstr("write holdfast check [OPTIONS] -- COMMAND"));
}

TEST(Commands, DoctorTakesAFileOrASupervisor) {
    const Command command = parse(words("doctor web --json"));
    const auto* doctor = std::get_if<DoctorCommand>(&command);
    ASSERT_NE(doctor, nullptr);
    EXPECT_EQ(doctor->name, "web");
    EXPECT_EQ(doctor->format, Format::json);
    EXPECT_FALSE(doctor->configuration);
    EXPECT_THAT(refusal_of("doctor --config /nonexistent"),
                HasSubstr("cannot read the configuration /nonexistent: No"));
}

TEST(Commands, RejectInvalidArguments) {
    EXPECT_THAT(refusal_of("scale"),
                HasSubstr("scale: the number of workers is missing: write holdfast scale [NAME] N"));
    EXPECT_THAT(refusal_of("scale web"), HasSubstr("N: \"web\" is not a whole number from 0 to 4096"));
    EXPECT_THAT(refusal_of("scale web 5000"), HasSubstr("from 0 to 4096"));
    EXPECT_THAT(refusal_of("restart a b"), HasSubstr("unexpected argument \"b\""));
    EXPECT_THAT(refusal_of("restart a/b"), HasSubstr("is not a valid name"));
    EXPECT_THAT(refusal_of("status --no-wait"), HasSubstr("no option --no-wait"));
    EXPECT_THAT(refusal_of("stop --no-wiat"), HasSubstr("did you mean --no-wait?"));
    EXPECT_THAT(refusal_of("events --json"), HasSubstr("no option --json"));
    EXPECT_THAT(refusal_of("restart --dry-run"), HasSubstr("no option --dry-run"));
    EXPECT_THAT(refusal_of("why"), HasSubstr("the worker is missing: write holdfast why [NAME] WORKER"));
    EXPECT_THAT(refusal_of("why web"), HasSubstr("the worker is missing"));
    EXPECT_THAT(refusal_of("restart --canary 1"), HasSubstr("--canary is not part of this version"));
    EXPECT_THAT(refusal_of("status --runtime-dir"), HasSubstr("a value is missing: --runtime-dir DIR"));
}

TEST(Commands, SuggestTheNearestOneForAMisspelling) {
    EXPECT_THAT(refusal_of("restrat"), HasSubstr("no command \"restrat\", did you mean restart?"));
    EXPECT_THAT(refusal_of("stats"), HasSubstr("did you mean status?"));
    EXPECT_THAT(refusal_of("start"), HasSubstr("use run"));
    EXPECT_THAT(refusal_of("frobnicate"), HasSubstr("expected run, restart, reload, stop, scale, rollback, undo"));
    EXPECT_THAT(refusal_of("--hlep"), HasSubstr("no option \"--hlep\", did you mean --help?"));
    EXPECT_THAT(refusal_of(""), StartsWith("a command is missing"));
    for (const std::string_view planned : planned_commands()) {
        EXPECT_THAT(refusal_of(std::string(planned)), HasSubstr("is not part of this version"));
    }
}

TEST(Help, ExplainsThePrivateListenerAndAlignsTheSecondColumn) {
    const std::string text = text_of("run --help");
    EXPECT_THAT(text, HasSubstr("http:/PATH probes each worker on its own private listener"));
    EXPECT_THAT(text, HasSubstr("named probe and last in LISTEN_FDNAMES"));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("   ")) continue;
        EXPECT_EQ(line.find_first_not_of(' '), 34U) << line;
    }
}

TEST(Help, ShowsEachCommandAndOption) {
    for (const CommandRow& row : command_table()) {
        EXPECT_THAT(text_of("help"), HasSubstr("  " + std::string(row.name)));
        EXPECT_THAT(text_of("help " + std::string(row.name)), HasSubstr(std::string(row.summary)));
    }
    for (const RunOption& option : run_options()) {
        EXPECT_THAT(text_of("run --help"), HasSubstr("  --" + std::string(option.spec.name)));
    }
    EXPECT_THAT(text_of("stop --help"), HasSubstr("--no-wait"));
    EXPECT_THAT(text_of("status --help"), testing::Not(HasSubstr("--no-wait")));
    EXPECT_EQ(text_of("--help"), text_of("help"));
    EXPECT_THAT(text_of("version"), StartsWith("holdfast "));
    EXPECT_EQ(text_of("--version"), text_of("version"));
    EXPECT_EQ(text_of("run --version"), text_of("version"));
    EXPECT_THAT(refusal_of("help restrat"), HasSubstr("did you mean restart?"));
}

TEST(Client, NamesTheSocketItTriedAndExitsWithFour) {
    ClientCommand command;
    command.verb = Verb::restart;
    command.runtime_dir = "/nonexistent";
    std::ostringstream out, err;
    EXPECT_EQ(run_client(command, out, err), to_int(ExitCode::unavailable));
    EXPECT_EQ(out.str(), "");
    EXPECT_THAT(err.str(),
                HasSubstr("holdfast: cannot get an answer from the supervisor at /nonexistent/api.sock: No such file"));
}

// The table of the manual against the implementation.
TEST(SignalTable, HasExactlyTheSignalsThatRequestAChange) {
    std::map<std::string, std::string_view> rows;
    for (const SignalRow& row : signal_table) rows.emplace(row.signal, row.effect);
    for (int signal = 1; signal < NSIG; ++signal) {
        EXPECT_EQ(core::request_for(signal).has_value(), rows.contains(signal_name(signal))) << signal_name(signal);
    }
}

TEST(SignalRequests, AreThoseOfTheTable) {
    EXPECT_EQ(std::get<core::Stop>(core::request_for(SIGTERM)->what).lame_duck, core::LameDuck::as_configured);
    EXPECT_EQ(std::get<core::Stop>(core::request_for(SIGINT)->what).lame_duck, core::LameDuck::as_configured);
    EXPECT_EQ(std::get<core::Stop>(core::request_for(SIGQUIT)->what).lame_duck, core::LameDuck::skipped);
    EXPECT_TRUE(std::holds_alternative<core::Restart>(core::request_for(SIGHUP)->what));
    EXPECT_EQ(std::get<core::ScaleBy>(core::request_for(SIGTTIN)->what).difference, 1);
    EXPECT_EQ(std::get<core::ScaleBy>(core::request_for(SIGTTOU)->what).difference, -1);
}

}  // namespace
}  // namespace holdfast::cli
