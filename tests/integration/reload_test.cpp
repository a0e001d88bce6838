// Reloading the configuration: its changes are applied in two phases, and nothing else is changed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include "operations.hpp"
#include "rollout_fixture.hpp"

namespace holdfast::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr auto numbers = "workers = 2\nsettle = 100ms\ngrace-period = 2s\ncancel-period = 500ms\n";
constexpr auto port = "listen = web=127.0.0.1:0\n";

class Reload : public testing::Test {
  protected:
    void begin(const std::string& content = std::string(numbers) + port) {
        write(content);
        RunOptions options;
        options.options = {"--config", file()};
        options.command = all_listeners();
        run_ = std::make_unique<SupervisorProcess>(options);
        run_->wait_until_serving();
    }

    std::string file() const { return directory_ / "web.conf"; }
    void write(const std::string& content) const { static_cast<void>(directory_.write("web.conf", content)); }

    SupervisorProcess& run() { return *run_; }
    void expect_spawned(std::size_t count) { EXPECT_EQ(run_->log().await_count(count, "worker_spawned"), count); }

    void expect_done(const std::string& part) {
        const CommandResult result = run().command("reload");
        EXPECT_TRUE(result.succeeded()) << result.output;
        EXPECT_THAT(result.output, HasSubstr(part));
    }
    void expect_refused(const std::string& part) {
        const CommandResult result = run().command("reload");
        EXPECT_FALSE(result.succeeded()) << result.output;
        EXPECT_THAT(result.output, HasSubstr(part));
    }
    void expect_clean_exit() { EXPECT_EQ(run().stop(), ExitStatus{ExitedWith{0}}); }

  private:
    TemporaryDirectory directory_;
    std::unique_ptr<SupervisorProcess> run_;
};

TEST_F(Reload, AddsAListener) {
    begin();
    Clients clients(run().address());
    clients.wait_for_more();
    write(std::string(numbers) + port + "listen = second=127.0.0.2:0\n");
    expect_done("second");
    const std::string second = run().address(1);
    EXPECT_THAT(second, HasSubstr("127.0.0.2:"));
    expect_served(second);
    clients.wait_for_more();
    EXPECT_THAT(clients.expect_nothing_lost(), testing::Contains(2U));
    EXPECT_THAT(run().command("status").output, HasSubstr(second));
    expect_clean_exit();
}

// The old address is served until the new generation serves, and is closed when the old workers have exited. The new
// address is served from the moment it is bound.
TEST_F(Reload, MovesAListener) {
    begin();
    Clients old_address_clients(run().address());
    old_address_clients.wait_for_more();
    write(std::string(numbers) + "listen = web=127.0.0.2:0\n");
    const auto reload = run().start_command("reload");
    Clients new_address_clients(run().address(1));
    const CommandResult result = reload->wait();
    EXPECT_TRUE(result.succeeded()) << result.output;

    const LogEntry closed = run().wait_for("listener_closed", with_text(run().address()));
    const LogEntry settled = run().wait_for("worker_settled", of_generation(2));
    // No client waited in the queue of the old address after its last worker had stopped accepting.
    const LogEntry refused = run().wait_for("listener_refused", with_text(run().address()));
    EXPECT_LT(settled.index, refused.index);
    EXPECT_LT(refused.index, closed.index);
    EXPECT_GE(old_address_clients.expect_only_refusals(), settled.mono_usec);
    EXPECT_THAT(new_address_clients.expect_nothing_lost(), testing::ElementsAre(2U));
    expect_served(run().address(1));
    expect_clean_exit();
}

TEST_F(Reload, FailsIfAListenerCannotBeBoundAndChangesNothing) {
    begin();
    SupervisorProcess other(short_run(all_listeners()));
    other.wait_until_serving();
    Clients clients(run().address());
    clients.wait_for_more();
    // The other change would be possible, but is not made either.
    write(std::string(numbers) + "listen = third=127.0.0.3:0\nlisten = second=" + other.address() + "\n" + port);
    expect_refused(other.address());
    clients.wait_for_more();
    EXPECT_EQ(run().log().count("worker_gone"), 0U);
    EXPECT_EQ(run().log().count("worker_spawned", of_generation(2)), 0U);
    EXPECT_THAT(run().command("status").output, Not(HasSubstr("127.0.0.3:")));
    // A listener that can be bound is added.
    write(std::string(numbers) + port + "listen = second=127.0.0.2:0\n");
    expect_done("second");
    clients.expect_nothing_lost();
    expect_clean_exit();
}

TEST_F(Reload, OfNumbersOnlyRestartsNoWorker) {
    begin();
    Clients clients(run().address());
    write("workers = 2\nsettle = 200ms\ngrace-period = 3s\ncancel-period = 500ms\n" + std::string(port));
    expect_done("grace-period");
    expect_spawned(2);
    write("workers = 3\nsettle = 200ms\ngrace-period = 3s\ncancel-period = 500ms\n" + std::string(port));
    expect_done("3");
    expect_spawned(3);
    EXPECT_EQ(run().log().await_count(1U, "worker_ready", of_worker("1.2")), 1U);
    clients.expect_nothing_lost();
    EXPECT_EQ(run().log().count("worker_gone"), 0U);
    expect_clean_exit();
}

TEST_F(Reload, ThatChangesNothingSaysSo) {
    begin();
    const CommandResult result = run().command("reload");
    EXPECT_TRUE(result.succeeded()) << result.output;
    EXPECT_THAT(result.output, HasSubstr("nothing"));
    expect_spawned(2);
    expect_clean_exit();
}

TEST_F(Reload, WithDryRunShowsWhatWouldChangeAndChangesNothing) {
    begin();
    write("workers = 4\n" + std::string(port) + "listen = second=127.0.0.2:0\n");
    const CommandResult result = run().command("reload", {"--dry-run"});
    EXPECT_TRUE(result.succeeded()) << result.output;
    EXPECT_THAT(result.output, HasSubstr("second"));
    EXPECT_THAT(result.output, HasSubstr("workers 2"));
    expect_spawned(2);
    EXPECT_EQ(run().log().await_count(1U, "listening"), 1U);
    EXPECT_EQ(run().log().count("rollout_started"), 0U);
    expect_served(run().address());
    expect_clean_exit();
}

TEST_F(Reload, OfAnInvalidFileIsRejectedWithFileAndLine) {
    begin();
    Clients clients(run().address());
    write(std::string(numbers) + port + "no-such-setting = 1\n");
    expect_refused(file() + ":6");
    const CommandResult dry_run = run().command("reload", {"--dry-run"});
    EXPECT_FALSE(dry_run.succeeded());
    EXPECT_THAT(dry_run.output, HasSubstr(file() + ":6"));
    clients.expect_nothing_lost();
    expect_spawned(2);
    expect_clean_exit();
}

// SIGHUP does both: the file is read again, and the workers are replaced.
TEST_F(Reload, BySignalReadsTheFileAndRestarts) {
    begin();
    Clients clients(run().address());
    clients.wait_for_more();
    write(std::string(numbers) + port + "listen = second=127.0.0.2:0\n");
    run().signal(SIGHUP);
    run().wait_for("rollout_done");
    expect_served(run().address(1));
    const std::size_t before = run().log().mark();
    run().signal(SIGHUP);  // nothing in the file has changed
    run().wait_for("rollout_done", any_entry(), before);
    EXPECT_EQ(run().log().await_count(2U, "worker_spawned", of_generation(3)), 2U);
    clients.expect_nothing_lost();
    expect_clean_exit();
}

TEST_F(Reload, BySignalOfAnInvalidFileIsRejectedInTheLog) {
    begin();
    Clients clients(run().address());
    write(std::string(numbers) + port + "workers = many\n");
    run().signal(SIGHUP);
    run().wait_for("reload_refused", with_text(file() + ":6"));
    clients.expect_nothing_lost();
    expect_spawned(2);
    expect_clean_exit();
}

// A reload cannot change options that are read only at start, and does not ignore them silently.
TEST_F(Reload, OfAnOptionThatIsReadOnlyAtStartIsRejected) {
    begin();
    write(std::string(numbers) + port + "state-dir = /elsewhere\n");
    const CommandResult result = run().command("reload");
    // The option is set on the command line, which takes precedence.
    EXPECT_TRUE(result.succeeded()) << result.output;
    write(std::string(numbers) + port + "admin = 127.0.0.1:0\n");
    expect_refused("admin");
    expect_spawned(2);
    expect_clean_exit();
}

}  // namespace
}  // namespace holdfast::test
