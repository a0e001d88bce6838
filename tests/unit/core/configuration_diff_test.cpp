#include "core/configuration_diff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/describe/fingerprint.hpp"

namespace holdfast::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Workers = Reload::Workers;

Configuration configuration(const std::vector<std::string>& listen) {
    Configuration made;
    made.name = "web";
    made.launch.command = {"./server"};
    for (const auto& text : listen) made.listen.push_back(*parse_listen_address(text));
    return made;
}

ConfigurationDiff between(const std::vector<std::string>& before, const std::vector<std::string>& after) {
    return compare_configurations(configuration(before), configuration(after));
}

TEST(ConfigurationDiff, IsEmptyForEqualConfigurations) {
    const auto same = configuration({":8080?nonblock", "admin=unix:/run/x.sock", "127.0.0.1:0", "systemd"});
    const ConfigurationDiff changes = compare_configurations(same, same);
    EXPECT_THAT(changes.sentences, IsEmpty());
    EXPECT_THAT(changes.refusals, IsEmpty());
    EXPECT_EQ(changes.workers, Workers::keep);
}

TEST(ConfigurationDiff, OfTheSetOfListenersReplacesTheWorkers) {
    const ConfigurationDiff added = between({":8080"}, {":8080", "admin=127.0.0.1:9000"});
    EXPECT_THAT(added.sentences, ElementsAre("adds the listener admin (127.0.0.1:9000)"));
    EXPECT_EQ(added.workers, Workers::replace);
    const ConfigurationDiff moved = between({"web=:8080"}, {"web=:8081"});
    EXPECT_THAT(moved.sentences, ElementsAre("adds the listener web (:8081)", "removes the listener web (:8080)"));
    const ConfigurationDiff swapped = between({":8080", ":8081"}, {":8081", ":8080"});
    EXPECT_THAT(swapped.sentences, ElementsAre("changes the order of the listeners"));
    EXPECT_EQ(swapped.workers, Workers::replace);
    const ConfigurationDiff prepended = between({":8081"}, {":8080", ":8081"});
    EXPECT_THAT(prepended.sentences, ElementsAre("adds the listener :8080"));
    const ConfigurationDiff renamed = between({"a=:8080"}, {"b=:8080"});
    EXPECT_THAT(renamed.sentences, ElementsAre("renames the listener :8080 from a to b"));
    EXPECT_EQ(renamed.workers, Workers::replace);
}

TEST(ConfigurationDiff, OfBacklogModeAndOwnerKeepsTheWorkers) {
    const ConfigurationDiff changes =
        between({":8080", "unix:/run/x.sock?mode=0600"}, {":8080?backlog=100", "unix:/run/x.sock?mode=0660&group=www"});
    EXPECT_THAT(changes.sentences,
                ElementsAre("backlog of :8080 as large as the kernel allows → 100",
                            "mode of unix:/run/x.sock 0600 → 0660", "owner of unix:/run/x.sock : → :www"));
    EXPECT_EQ(changes.workers, Workers::keep);
    EXPECT_THAT(changes.refusals, IsEmpty());
}

TEST(ConfigurationDiff, OfAFixedSocketOptionIsRefused) {
    EXPECT_THAT(between({":8080"}, {":8080?v6only"}).refusals,
                ElementsAre("cannot change v6only of :8080 while it is bound: use another address, or stop the "
                            "service and start it again"));
    EXPECT_THAT(between({":8080"}, {":8080?nonblock"}).refusals, ElementsAre(HasSubstr("nonblock of :8080")));
    EXPECT_THAT(between({"fd:3"}, {":8080"}).refusals, ElementsAre(HasSubstr("cannot remove fd:3")));
    EXPECT_THAT(between({":8080"}, {":8080", "systemd"}).refusals, ElementsAre(HasSubstr("cannot add systemd")));
    EXPECT_THAT(between({"unix:/x?mode=0600"}, {"unix:/x"}).refusals, ElementsAre(HasSubstr("cannot remove the mode")));
}

TEST(ConfigurationDiff, OfAnOptionThatIsReadAtTheStartIsRefused) {
    const auto before = configuration({":8080"});
    auto after = before;
    after.name = "other";
    after.state_dir = "/elsewhere";
    after.log_format = LogFormat::json;
    after.admin = {*parse_listen_address("127.0.0.1:9900")};
    EXPECT_THAT(compare_configurations(before, after).refusals,
                ElementsAre(HasSubstr("cannot change name "), HasSubstr("state-dir"), HasSubstr("admin"),
                            HasSubstr("log-format")));
}

TEST(ConfigurationDiff, OfThePolicyKeepsTheWorkersUnlessTheyDependOnIt) {
    const auto before = configuration({":8080"});
    auto after = before;
    after.policy.workers = 4;
    after.policy.grace_period = 90s;
    after.launch.pre_restart = "./check";
    EXPECT_EQ(describe(compare_configurations(before, after)),
              "changes pre-restart; workers 1 → 4; grace-period 30s → 90s");
    EXPECT_EQ(compare_configurations(before, after).workers, Workers::keep);
    after.policy.watchdog = 5s;
    EXPECT_EQ(compare_configurations(before, after).workers, Workers::replace);
    after = before;
    after.policy.ready_when = ReadyProbe{ReadyProbe::How::http, ReadyProbe::Where::private_listener, "", "/up"};
    EXPECT_EQ(describe(compare_configurations(before, after)), "ready-when auto → http:/up");
    EXPECT_EQ(compare_configurations(before, after).workers, Workers::replace);
}

TEST(ConfigurationDiff, DoesNotPrintTheEnvironment) {
    const auto before = configuration({":8080"});
    auto after = before;
    after.launch.env = {"PASSWORD=secret"};
    after.launch.limits = {{"nofile", 7, 10, 10}};
    EXPECT_EQ(describe(compare_configurations(before, after)), "changes env; changes limit");
    EXPECT_EQ(compare_configurations(before, after).workers, Workers::replace);
}

TEST(Fingerprint, DiffersForDifferentConfigurations) {
    const auto one = configuration({":8080"});
    auto other = one;
    EXPECT_EQ(fingerprint(one), fingerprint(other));
    EXPECT_EQ(fingerprint(one).size(), 16U);
    other.launch.command = {"./ser", "ver"};
    EXPECT_NE(fingerprint(one), fingerprint(other));
    other = one;
    other.policy.probation = 1s;
    EXPECT_NE(fingerprint(one), fingerprint(other));
}

}  // namespace
}  // namespace holdfast::core
