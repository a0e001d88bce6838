// Each function of the client, called against the server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/client/client.hpp"
#include "api_fixture.hpp"
#include "stub_supervisor.hpp"

namespace holdfast::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class ClientCalls : public testing::Test {
  protected:
    Service service() const { return {directory_.path(), {}, {}}; }

    ListeningDirectory directory_;
    StubSupervisor web_{"web", directory_.listen(), {core::Outcome::Result::done, "it is so", {}, 0}};
};

TEST_F(ClientCalls, FetchStatus) {
    const auto seen = fetch_status(service());
    ASSERT_TRUE(seen) << seen.error().text;
    EXPECT_EQ(seen->status.name, "web");
    EXPECT_EQ(seen->directory, directory_.path());
}

TEST_F(ClientCalls, History) {
    const auto all = history(service());
    ASSERT_TRUE(all) << all.error().text;
    EXPECT_THAT(*all, ElementsAre(R"({"event":"started"})", R"({"event":"done"})"));
    EXPECT_THAT(*history(service(), 1), ElementsAre(R"({"event":"done"})"));
    EXPECT_THAT(*history(service(), 0), ElementsAre());
}

TEST_F(ClientCalls, Logs) {
    const auto all = logs(service());
    ASSERT_TRUE(all) << all.error().text;
    ASSERT_EQ(all->size(), 2U);
    EXPECT_EQ(all->front().worker, "1.0");
    EXPECT_EQ(all->front().pid, 7);
    EXPECT_EQ(all->front().of, "ended");
    EXPECT_THAT(all->front().lines, ElementsAre("bye"));
    const auto one = logs(service(), "2.0");
    ASSERT_TRUE(one);
    ASSERT_EQ(one->size(), 1U);
    EXPECT_EQ(one->front().of, "living");
    const auto none = logs(service(), "9.9");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().text, "there is no output of a worker 9.9");
    const auto invalid = logs(service(), "web");
    ASSERT_FALSE(invalid);
    EXPECT_THAT(invalid.error().text, HasSubstr("expected the name of a worker, like worker=1.0"));
}

TEST_F(ClientCalls, Why) {
    const auto known = why(service(), "1.0");
    ASSERT_TRUE(known) << known.error().text;
    EXPECT_THAT(*known, StartsWith("worker 1.0 "));
    const auto unknown = why(service(), "9.9");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ENOENT);
    EXPECT_EQ(unknown.error().text, "there is no worker 9.9: 1.0 exists");
}

TEST_F(ClientCalls, EveryChange) {
    const auto expect_done = [&](const Result<ChangeOutcome>& answer) {
        ASSERT_TRUE(answer) << answer.error().text;
        EXPECT_EQ(answer->result, "done");
        EXPECT_EQ(answer->text, "it is so");
        EXPECT_THAT(answer->json, HasSubstr(R"("exit_code":0})"));
    };
    expect_done(rollback(service(), Wait::for_outcome));
    EXPECT_TRUE(std::holds_alternative<core::Rollback>(web_.asked().what));
    expect_done(undo(service(), Wait::for_outcome));
    EXPECT_TRUE(std::holds_alternative<core::Undo>(web_.asked().what));
    expect_done(pause(service(), Wait::for_outcome));
    EXPECT_TRUE(std::holds_alternative<core::Pause>(web_.asked().what));
    expect_done(resume(service(), Wait::for_outcome));
    EXPECT_TRUE(std::holds_alternative<core::Resume>(web_.asked().what));
    EXPECT_EQ(rollback(service(), Wait::no)->result, "accepted");
}

TEST_F(ClientCalls, Reload) {
    const auto preview = preview_reload(service());
    ASSERT_TRUE(preview) << preview.error().text;
    EXPECT_EQ(preview->text, "adds the listener admin");
    EXPECT_EQ(web_.reloaded_by(), "");
    const auto reloaded = reload(service(), Wait::for_outcome);
    ASSERT_TRUE(reloaded) << reloaded.error().text;
    EXPECT_EQ(reloaded->text, "nothing has changed");
    EXPECT_THAT(web_.reloaded_by(), HasSubstr("over the API"));
}

}  // namespace
}  // namespace holdfast::api
