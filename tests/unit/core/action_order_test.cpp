#include "core/action_order.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/core_harness.hpp"

namespace holdfast::core::testing {
namespace {

using namespace std::chrono_literals;

// The position of the only action of a kind for which `fits` is true.
template <class T, class Fits>
std::size_t position(const CoreHarness& harness, Fits fits) {
    std::size_t found = harness.actions().size();
    for (std::size_t index = 0; index < harness.actions().size(); ++index) {
        const auto* action = std::get_if<T>(&harness.actions()[index].action);
        if (action == nullptr || !fits(*action)) continue;
        EXPECT_EQ(found, harness.actions().size()) << "there are two";
        found = index;
    }
    EXPECT_NE(found, harness.actions().size()) << "there is none";
    return found;
}

TEST(ActionOrder, LaunchesAReplacementBeforeItIsLoggedAndBeforeItsPredecessorIsForgotten) {
    CoreHarness harness = serving({}, 1);
    const WorkerId predecessor = harness.worker(1, 0);
    harness.exited(predecessor, 1);
    const WorkerId replacement = harness.worker(1, 0);
    ASSERT_NE(replacement, predecessor) << "the first crash has no backoff";
    const auto spawn = position<Spawn>(harness, [&](const Spawn& action) { return action.worker == replacement; });
    const auto crash = position<Note>(harness, [&](const Note& note) { return note.event == "worker_crashed"; });
    const auto launch = position<Note>(harness, [&](const Note& note) { return note.worker == replacement; });
    const auto forget = position<Forget>(harness, [&](const Forget& action) { return action.worker == predecessor; });
    EXPECT_LT(spawn, crash);
    EXPECT_LT(crash, launch);
    EXPECT_LT(launch, forget);
}

TEST(ActionOrder, ChecksTheBacklogsAfterALogLineAboutAReadyWorker) {
    Policy policy;
    policy.workers = 1;
    CoreHarness harness(policy);
    harness.serve(harness.worker(1, 0));
    const auto checks = [&] { return harness.all<CheckBacklogs>().size(); };
    const auto check = [&](std::string_view event) {
        EXPECT_LT(position<Note>(harness, [&](const Note& note) { return note.event == event; }),
                  position<CheckBacklogs>(harness, [](const CheckBacklogs&) { return true; }));
    };
    EXPECT_EQ(checks(), 1U);
    check("worker_ready");
    harness.clear_actions();
    harness.advance(policy.settle);
    EXPECT_EQ(checks(), 1U);
    check("worker_settled");
    harness.clear_actions();
    harness.advance(1h);
    EXPECT_EQ(checks(), 0U);
}

TEST(ActionOrder, FinishesAfterTheAnswersAndBeforeTheLastLogLines) {
    CoreHarness harness = serving({}, 1);
    const RequestId asker = harness.ask(Stop{});
    harness.clear_actions();
    harness.exited(harness.status().workers.at(0).id, 0);
    const auto answer = position<Answer>(harness, [&](const Answer& action) { return action.request == asker; });
    const auto finish = position<Finish>(harness, [](const Finish&) { return true; });
    EXPECT_LT(answer, finish);
    EXPECT_LT(finish, position<Note>(harness, [](const Note& note) { return note.event == "worker_gone"; }));
    EXPECT_LT(finish, position<Note>(harness, [](const Note& note) { return note.event == "finished"; }));
    for (std::size_t index = finish + 1; index < harness.actions().size(); ++index) {
        const Action& action = harness.actions()[index].action;
        EXPECT_TRUE(std::holds_alternative<Note>(action) || std::holds_alternative<Forget>(action)) << index;
    }
}

TEST(ActionOrder, KeepsTheOrderWithinAGroup) {
    std::vector<Action> actions;
    actions.push_back(Forget{WorkerId{2}});
    actions.push_back(Note{Level::info, "b", {}, {}});
    actions.push_back(Forget{WorkerId{1}});
    actions.push_back(SetAdmission{Admission::accept});
    actions.push_back(Note{Level::info, "a", {}, {}});
    actions.push_back(Spawn{WorkerId{3}, {}, {}, {}});
    const std::vector<Action> ordered = in_execution_order(std::move(actions));
    ASSERT_EQ(ordered.size(), 6U);
    EXPECT_TRUE(std::holds_alternative<SetAdmission>(ordered[0]));
    EXPECT_TRUE(std::holds_alternative<Spawn>(ordered[1]));
    EXPECT_EQ(std::get<Note>(ordered[2]).event, "b");
    EXPECT_EQ(std::get<Note>(ordered[3]).event, "a");
    EXPECT_EQ(std::get<Forget>(ordered[4]).worker, WorkerId{2});
    EXPECT_EQ(std::get<Forget>(ordered[5]).worker, WorkerId{1});
}

}  // namespace
}  // namespace holdfast::core::testing
