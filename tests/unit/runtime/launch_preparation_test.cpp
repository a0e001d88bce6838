#include "runtime/launch_preparation.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "os/process_table.hpp"

namespace holdfast::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using From = core::Prepare::From;

constexpr LaunchSpecId first_spec{1}, second_spec{2};

// An event loop without workers: only preparations and the reaper.
struct LaunchPreparationTest : ::testing::Test {
    LaunchPreparationTest() {
        EXPECT_NE(::mkdtemp(folder.data()), nullptr);
        await_children();
    }
    ~LaunchPreparationTest() override { std::filesystem::remove_all(folder); }

    void await_children() {
        children.async_wait([this](boost::system::error_code failed, int) {
            if (failed) return;
            collect();
            await_children();
        });
    }
    void collect() {
        reaper.collect([this](pid_t pid, const ExitStatus& status) {
            return preparation->classify(pid, status).value_or(os::ReapDecision::reap);
        });
    }

    core::Configuration configuration(const std::string& pre_restart = "") const {
        core::Configuration made;
        made.name = "web";
        made.file = "web.conf";
        made.launch.command = {"/bin/true"};
        made.launch.chdir = folder;
        made.launch.env = {"RELEASE=7"};
        made.launch.pre_restart = pre_restart;
        made.listen = {*parse_listen_address("unix:" + folder + "/a.sock")};
        return made;
    }

    void start(const core::Configuration& in_force) {
        next = in_force;
        plans.emplace(
            in_force, [this] { return Result<core::Configuration>(next); }, listeners, specs);
        preparation.emplace(LaunchPreparation::Dependencies{
            io,
            event_queue,
            output,
            listeners,
            specs,
            *plans,
            "web",
            {"PATH=/usr/bin:/bin"},
            std::nullopt,
            [this](Generation generation, ProgramFacts facts) { known[generation] = std::move(facts); },
            [this] { collect(); }});
        ASSERT_TRUE(listeners.open(in_force.listen));
    }

    core::Prepared answer() {
        while (answers.empty()) io.run_one();
        core::Prepared taken = answers.front();
        answers.erase(answers.begin());
        return taken;
    }
    core::Prepared prepare(LaunchSpecId spec, From from = From::fresh, PlanId plan = {}) {
        preparation->prepare({spec, Generation{spec.value}, from, plan});
        return answer();
    }
    // A plan with an additional listener.
    PlanId plan_with(const std::string& address) {
        next.listen.push_back(*parse_listen_address(address));
        const auto reload = plans->read_again(core::Reload::Workers::keep);
        EXPECT_TRUE(reload);
        return reload->plan;
    }
    bool is_there(const std::string& name) const { return std::filesystem::exists(folder + "/" + name); }
    std::string path(const std::string& name) const { return "unix:" + folder + "/" + name; }
    std::vector<std::string> in_force() const {
        std::vector<std::string> names;
        for (const auto& listener : listeners.status()) names.push_back(listener.address);
        return names;
    }

    std::string folder = "/tmp/preparing-XXXXXX";
    boost::asio::io_context io;
    boost::asio::signal_set children{io, SIGCHLD};
    std::vector<core::Prepared> answers;
    EventQueue event_queue{io,
                           [this](const core::Event& event) { answers.push_back(std::get<core::Prepared>(event)); }};
    Output output{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    Log log{output, core::LogFormat::text, "web", "error"};
    Listeners listeners{io, log};
    LaunchSpecs specs;
    core::Configuration next;
    std::optional<ReloadPlans> plans;
    os::Reaper reaper;
    std::map<Generation, ProgramFacts> known;
    std::optional<LaunchPreparation> preparation;
};

TEST_F(LaunchPreparationTest, ResolvesASpecFromTheConfigurationInForce) {
    start(configuration());
    const auto prepared = prepare(first_spec);
    EXPECT_EQ(prepared.fault, "");
    ASSERT_NE(specs.find(first_spec), nullptr);
    EXPECT_THAT(specs.find(first_spec)->launch_spec->argv, ElementsAre("/bin/true"));
    EXPECT_EQ(known[Generation{1}].program, "/bin/true");
    EXPECT_EQ(known[Generation{1}].configuration.size(), 16U);
}

TEST_F(LaunchPreparationTest, ReportsWhatCannotBeResolved) {
    auto with_fault = configuration();
    with_fault.launch.command = {"./none"};
    start(with_fault);
    EXPECT_EQ(prepare(first_spec).fault, "cannot execute ./none: No such file or directory");
    EXPECT_EQ(specs.find(first_spec), nullptr);
}

TEST_F(LaunchPreparationTest, RunsTheCheckInTheWorkersDirectoryAndEnvironment) {
    start(configuration(
        "echo $RELEASE $HOLDFAST_NAME $HOLDFAST_GENERATION $HOLDFAST_PRE_RESTART \"$LISTEN_FDS\" > seen"));
    EXPECT_EQ(prepare(second_spec).fault, "");
    std::ifstream seen(folder + "/seen");
    std::string line;
    std::getline(seen, line);
    EXPECT_EQ(line, "7 web 2 1 ");
    EXPECT_THAT(os::children_of(::getpid()).value(), IsEmpty());
}

TEST_F(LaunchPreparationTest, FailsWithTheOutputOfTheCheck) {
    start(configuration("echo checking; echo 'bad configuration' >&2; exit 3"));
    const auto prepared = prepare(first_spec);
    EXPECT_EQ(prepared.fault, "--pre-restart failed: exited with status 3");
    EXPECT_THAT(prepared.last_words, ElementsAre("checking", "bad configuration"));
    EXPECT_EQ(specs.find(first_spec), nullptr);
    EXPECT_THAT(os::children_of(::getpid()).value(), IsEmpty());
}

TEST_F(LaunchPreparationTest, KillsTheRestOfTheProcessGroupOfTheCheck) {
    start(configuration("tail -f /dev/null & echo $! > child; exit 0"));
    EXPECT_EQ(prepare(first_spec).fault, "");
    int child = 0;
    std::ifstream(folder + "/child") >> child;
    ASSERT_GT(child, 0);
    // Nothing in this test reaps the killed orphan.
    while (const auto status = os::process_status(child).value()) {
        if (status->state == 'Z') break;
        io.poll();
    }
}

TEST_F(LaunchPreparationTest, ThatIsAbandonedEndsItsCheckAndReportsNothing) {
    ASSERT_NO_FATAL_FAILURE(start(configuration("trap '' TERM; echo > begun; exec tail -f /dev/null")));
    preparation->prepare({first_spec, Generation{1}, From::fresh, {}});
    while (!is_there("begun")) io.run_one_for(std::chrono::milliseconds(10));
    EXPECT_EQ(os::children_of(::getpid()).value().size(), 1U);
    preparation->abandon(first_spec);
    // The check ignores SIGTERM, so SIGKILL must follow.
    while (!os::children_of(::getpid()).value().empty()) io.run_one();
    EXPECT_THAT(answers, IsEmpty());
    EXPECT_EQ(specs.find(first_spec), nullptr);
    EXPECT_EQ(prepare(second_spec, From::kept).fault,
              "cannot roll back to generation 0: its program is no longer kept");
}

TEST_F(LaunchPreparationTest, OfAPlanBindsFirstAndClosesOnceTheNewGenerationServes) {
    start(configuration());
    specs.add(first_spec, {nullptr, plans->in_force(), listeners.in_force(), Generation{1}});
    const PlanId plan = plan_with(path("b.sock"));
    next.listen.erase(next.listen.begin());
    plans->drop(plan);
    const auto moved = plans->read_again(core::Reload::Workers::keep);
    ASSERT_TRUE(moved);
    EXPECT_EQ(moved->workers, core::Reload::Workers::replace);
    EXPECT_EQ(prepare(second_spec, From::fresh, moved->plan).fault, "");
    EXPECT_TRUE(is_there("a.sock") && is_there("b.sock"));
    EXPECT_THAT(in_force(), ElementsAre(path("a.sock")));
    listeners.serve(specs.find(second_spec)->listeners);
    plans->adopt(moved->plan);
    EXPECT_FALSE(is_there("a.sock"));
    EXPECT_THAT(in_force(), ElementsAre(path("b.sock")));
    // The rollback binds it again.
    specs.find(first_spec)->launch_spec = specs.find(second_spec)->launch_spec;
    EXPECT_EQ(prepare(first_spec, From::kept).fault, "");
    EXPECT_TRUE(is_there("a.sock") && is_there("b.sock"));
    listeners.serve(specs.find(first_spec)->listeners);
    EXPECT_FALSE(is_there("b.sock"));
    EXPECT_EQ(listeners.fds().size(), 1U);
    // A restart uses the configuration in force, which a rollback does not change.
    EXPECT_EQ(prepare(LaunchSpecId{3}).fault, "");
    EXPECT_TRUE(is_there("a.sock") && is_there("b.sock"));
    listeners.serve(specs.find(LaunchSpecId{3})->listeners);
    EXPECT_THAT(in_force(), ElementsAre(path("b.sock")));
}

TEST_F(LaunchPreparationTest, OfAPlanThatCannotBindLeavesNothingBound) {
    start(configuration());
    plan_with(path("b.sock"));
    const PlanId plan = plan_with("unix:" + folder + "/none/c.sock");
    EXPECT_THAT(prepare(second_spec, From::fresh, plan).fault,
                HasSubstr("cannot listen on unix:" + folder + "/none/c.sock"));
    EXPECT_TRUE(is_there("a.sock"));
    EXPECT_FALSE(is_there("b.sock"));
}

TEST_F(LaunchPreparationTest, OfADroppedPlanClosesTheListenersThatItBound) {
    auto with_check = configuration();
    start(with_check);
    next.launch.pre_restart = "exit 1";
    const PlanId plan = plan_with(path("b.sock"));
    EXPECT_THAT(prepare(second_spec, From::fresh, plan).fault, HasSubstr("--pre-restart failed"));
    plans->drop(plan);
    EXPECT_FALSE(is_there("b.sock"));
    EXPECT_TRUE(is_there("a.sock"));
}

// Another plan is dropped while --pre-restart runs.
TEST_F(LaunchPreparationTest, OfAPlanKeepsItsListenersWhileOthersAreDropped) {
    start(configuration());
    specs.add(first_spec, {nullptr, plans->in_force(), listeners.in_force(), Generation{1}});
    next.launch.pre_restart = "echo > begun; while [ ! -e go ]; do read -t 0.01 x < /dev/zero || :; done";
    const PlanId plan = plan_with(path("b.sock"));
    preparation->prepare({second_spec, Generation{2}, From::fresh, plan});
    EXPECT_TRUE(is_there("b.sock"));
    plans->drop(PlanId{99});
    EXPECT_TRUE(is_there("b.sock"));
    std::ofstream(folder + "/go") << "on";
    EXPECT_EQ(answer().fault, "");
    EXPECT_TRUE(is_there("b.sock"));
}

// The name is the same, the address differs: a reload after a rollback detects it and does not change the socket.
TEST_F(LaunchPreparationTest, AfterARollbackComparesWithTheServingConfiguration) {
    auto named = configuration();
    named.listen = {*parse_listen_address("web=" + path("a.sock"))};
    start(named);
    specs.add(first_spec, {nullptr, plans->in_force(), listeners.in_force(), Generation{1}});
    next.listen = {*parse_listen_address("web=" + path("b.sock"))};
    const auto moved = plans->read_again(core::Reload::Workers::keep);
    ASSERT_EQ(prepare(second_spec, From::fresh, moved->plan).fault, "");
    specs.serve(second_spec);
    listeners.serve(specs.find(second_spec)->listeners);
    plans->adopt(moved->plan);
    EXPECT_EQ(plans->what_would_change().text, "nothing would change");
    // Rolls back.
    specs.find(first_spec)->launch_spec = specs.find(second_spec)->launch_spec;
    ASSERT_EQ(prepare(first_spec, From::kept).fault, "");
    specs.serve(first_spec);
    listeners.serve(specs.find(first_spec)->listeners);
    EXPECT_THAT(plans->what_would_change().text, HasSubstr("the workers would be replaced"));
    const auto again = plans->read_again(core::Reload::Workers::keep);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->workers, core::Reload::Workers::replace);
    listeners.change_in_place(next.listen);
    EXPECT_EQ(prepare(LaunchSpecId{3}, From::fresh, again->plan).fault, "");
    EXPECT_TRUE(is_there("b.sock"));
}

TEST_F(LaunchPreparationTest, OfAKeptSpecRejectsAnOverwrittenProgram) {
    auto own_program = configuration();
    std::filesystem::copy_file("/bin/true", folder + "/app");
    own_program.launch.command = {"./app"};
    start(own_program);
    ASSERT_EQ(prepare(first_spec).fault, "");
    EXPECT_EQ(prepare(first_spec, From::kept).fault, "");
    std::ofstream(folder + "/app", std::ios::trunc) << "something else";
    EXPECT_THAT(
        prepare(first_spec, From::kept).fault,
        HasSubstr("cannot roll back to generation 1: ./app was overwritten in place, and there is no copy of the "
                  "previous program"));
}

TEST_F(LaunchPreparationTest, OfARejectedSpecClosesTheListenersThatItBound) {
    auto own_program = configuration();
    std::filesystem::copy_file("/bin/true", folder + "/app");
    own_program.launch.command = {"./app"};
    start(own_program);
    ASSERT_EQ(prepare(first_spec).fault, "");
    next.listen = {*parse_listen_address(path("b.sock"))};
    const auto moved = plans->read_again(core::Reload::Workers::keep);
    ASSERT_EQ(prepare(second_spec, From::fresh, moved->plan).fault, "");
    listeners.serve(specs.find(second_spec)->listeners);
    std::ofstream(folder + "/app", std::ios::trunc) << "something else";
    EXPECT_NE(prepare(first_spec, From::kept).fault, "");
    EXPECT_FALSE(is_there("a.sock"));
    EXPECT_TRUE(is_there("b.sock"));
}

TEST_F(LaunchPreparationTest, ReloadChangesBacklogAndModeInPlace) {
    start(configuration());
    next.listen = {*parse_listen_address(path("a.sock") + "?backlog=7&mode=0600")};
    const int before = listeners.fds().front();
    const auto reload = plans->read_again(core::Reload::Workers::keep);
    ASSERT_TRUE(reload);
    EXPECT_EQ(reload->workers, core::Reload::Workers::keep);
    plans->adopt(reload->plan);
    struct stat status {};
    ASSERT_EQ(::stat((folder + "/a.sock").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(listeners.status().front().backlog, 7);
    EXPECT_EQ(listeners.fds().front(), before);
}

TEST_F(LaunchPreparationTest, ReloadFailsWithoutAConfigurationFile) {
    auto without = configuration();
    without.file.clear();
    start(without);
    const auto refused = plans->read_again(core::Reload::Workers::keep);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().text, "this supervisor was started without --config, so there is no file to read again");
    EXPECT_EQ(plans->what_would_change().result, core::Outcome::Result::refused);
}

TEST_F(LaunchPreparationTest, PreviewOfAReloadChangesNothing) {
    start(configuration());
    EXPECT_EQ(plans->what_would_change().text, "nothing would change");
    next.listen.push_back(*parse_listen_address("b=" + path("b.sock")));
    EXPECT_EQ(plans->what_would_change().text,
              "adds the listener b (" + path("b.sock") + "); the workers would be replaced");
    EXPECT_FALSE(is_there("b.sock"));
}

}  // namespace
}  // namespace holdfast::runtime
