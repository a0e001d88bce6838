#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Claim, IsCheckedOnceWhenAWorkerGetsReady) {
    Bench bench({});
    EXPECT_THAT(bench.all<CheckClaim>(), IsEmpty());
    bench.serve(bench.worker(1, 0));
    ASSERT_THAT(bench.all<CheckClaim>(), SizeIs(1));
    bench.ask(Pause{});
    bench.ask(Resume{});
    bench.accepting(bench.worker(1, 0), true);
    EXPECT_THAT(bench.all<CheckClaim>(), SizeIs(1));
}

TEST(Claim, IsWaitedForBeforeAWorkerSettles) {
    Bench bench({});
    bench.claims = std::nullopt;
    const WorkerId worker = bench.worker(1, 0);
    bench.serve(worker);
    bench.advance(1min);
    EXPECT_FALSE(bench.status().workers.at(0).settled);
    bench.feed(Claimed{worker, Claim::held, {}});
    EXPECT_TRUE(bench.status().workers.at(0).settled);
}

TEST(Claim, ThatIsHeldSaysNothing) {
    Bench bench = serving({}, 1);
    EXPECT_THAT(bench.notes("listener_not_claimed"), IsEmpty());
    EXPECT_THAT(bench.notes("claim_unknown"), IsEmpty());
}

TEST(Claim, ThatIsMissingIsToldInWordsAndIsNoCrash) {
    Bench bench({});
    bench.claims = Claim::missing;
    bench.serve(bench.worker(1, 0));
    bench.advance(1s);
    EXPECT_THAT(bench.notes("listener_not_claimed"), ElementsAre("no process has :8080 open"));
    EXPECT_EQ(bench.count(WorkerState::ready), 1);
    EXPECT_TRUE(bench.status().workers.at(0).settled);
}

TEST(Claim, ThatIsMissingFailsTheRollout) {
    Bench bench = serving({}, 1);
    const WorkerId old = bench.worker(1, 0);
    bench.claims = Claim::missing;
    const RequestId restart = bench.ask(Restart{});
    bench.serve_all();
    bench.exited(bench.worker(2, 0));
    ASSERT_TRUE(bench.answer(restart));
    EXPECT_EQ(bench.result(restart), Outcome::Result::failed);
    EXPECT_THAT(bench.answer(restart)->text, HasSubstr("worker 2.0 cannot serve: no process has :8080 open"));
    EXPECT_THAT(bench.told(old), IsEmpty());
}

TEST(Claim, ThatNobodyCanKnowFailsNothing) {
    Bench bench = serving({}, 1);
    bench.claims = Claim::not_known;
    const RequestId restart = bench.ask(Restart{});
    bench.serve_all();
    EXPECT_THAT(bench.notes("claim_unknown"), SizeIs(1));
    bench.advance(1s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(restart), Outcome::Result::done);
}

TEST(Claim, ThatIsNotKnownYetHoldsTheCommitBack) {
    Bench bench = serving({}, 1);
    bench.claims = std::nullopt;
    bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1min);
    EXPECT_THAT(bench.told(bench.worker(1, 0)), IsEmpty());
    bench.feed(Claimed{bench.worker(2, 0), Claim::held, {}});
    EXPECT_EQ(bench.told(bench.worker(1, 0)), std::vector{Stage::drain});
}

TEST(Claim, AnswersAboutWhoIsGoneOrWasNotAskedChangeNothing) {
    Bench bench = serving({}, 1);
    const WorkerId worker = bench.worker(1, 0);
    bench.feed(Claimed{worker, Claim::missing, "late"});
    bench.feed(Claimed{WorkerId{99}, Claim::missing, "late"});
    EXPECT_THAT(bench.done(), IsEmpty());
}

}  // namespace
}  // namespace holdfast::core::testing
