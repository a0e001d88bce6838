// holdfast rollback: the program of the last good generation is launched again.

#include <gtest/gtest.h>

#include "tests/unit/core/bench.hpp"

namespace holdfast::core::testing {
namespace {

using Result = Outcome::Result;

RequestId restart(Bench& bench) {
    const RequestId id = bench.ask(Restart{});
    bench.serve_all();
    bench.advance(1s);
    bench.exit_all_leaving();
    return id;
}

TEST(FormerProgram, IsLaunchedAsANewGenerationFromTheKeptSpec) {
    Bench bench = serving({}, 2);
    restart(bench);
    bench.forget_actions();
    const RequestId rollback = bench.ask(Rollback{});
    ASSERT_EQ(bench.all<Prepare>().size(), 1U);
    EXPECT_EQ(bench.all<Prepare>()[0].from, Prepare::From::kept);
    EXPECT_EQ(bench.all<Prepare>()[0].spec.value, 1U);
    ASSERT_EQ(bench.all<Spawn>().size(), 2U);
    EXPECT_EQ(bench.all<Spawn>()[0].generation.value, 3U);
    EXPECT_EQ(bench.all<Spawn>()[0].spec.value, 1U);
    bench.serve_all();
    bench.advance(1s);
    bench.exit_all_leaving();
    EXPECT_EQ(bench.result(rollback), Result::done);
    EXPECT_EQ(bench.all<ForgetSpec>().size(), 1U);  // of the one that was rolled back from
}

TEST(FormerProgram, CannotBeHadWhereThereIsNone) {
    Bench bench = serving({}, 1);
    const RequestId rollback = bench.ask(Rollback{});
    EXPECT_EQ(bench.result(rollback), Result::refused);
    EXPECT_TRUE(bench.all<Prepare>().empty());
}

TEST(FormerProgram, OfAFailedGenerationIsNotKept) {
    Bench bench = serving({}, 1);
    restart(bench);
    bench.ask(Restart{});
    bench.exited(bench.last_launched(0), 1);
    bench.ask(Rollback{});
    EXPECT_EQ(bench.all<Prepare>().back().spec.value, 1U);
}

TEST(FormerProgram, IsTheOneBeforeAfterARollback) {
    Bench bench = serving({}, 1);
    restart(bench);
    restart(bench);
    for (const std::uint64_t spec : {2U, 1U}) {
        bench.ask(Rollback{});
        EXPECT_EQ(bench.all<Prepare>().back().spec.value, spec);
        bench.serve_all();
        bench.advance(1s);
        bench.exit_all_leaving();
    }
    EXPECT_EQ(bench.result(bench.ask(Rollback{})), Result::refused);
}

TEST(FormerProgram, IsKeptOfThreeGenerationsAtTheMost) {
    Bench bench = serving({}, 1);
    for (int i = 0; i < 5; ++i) restart(bench);
    ASSERT_EQ(bench.all<ForgetSpec>().size(), 2U);
    EXPECT_EQ(bench.all<ForgetSpec>()[1].spec.value, 2U);
}

TEST(FormerProgram, ThatIsNotWhatItWasIsRefusedInWords) {
    Bench bench = serving({}, 1);
    restart(bench);
    bench.preparation_fault = "cannot roll back: ./srv was overwritten in place";
    const RequestId rollback = bench.ask(Rollback{});
    EXPECT_EQ(bench.result(rollback), Result::refused);
    EXPECT_NE(bench.answer(rollback)->text.find("overwritten in place"), std::string::npos);
    bench.preparation_fault = "";
    EXPECT_FALSE(bench.result(bench.ask(Rollback{})));  // it is still there to be asked for
}

}  // namespace
}  // namespace holdfast::core::testing
