#include "cli/findings.hpp"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using core::Weight;

TEST(Findings, StandALineEachWithTheirRemedy) {
    EXPECT_EQ(render_findings({{Weight::fine, "a", {}}, {Weight::note, "b", "do c"}}),
              "ok       a\nnote     b\n         -> do c\n");
    EXPECT_EQ(findings_to_json({{Weight::wrong, "a \"b\"", "c"}, {Weight::warning, "d", {}}}),
              "[{\"weight\":\"wrong\",\"text\":\"a \\\"b\\\"\",\"remedy\":\"c\"},"
              "{\"weight\":\"warning\",\"text\":\"d\",\"remedy\":\"\"}]\n");
}

TEST(Findings, AreAFailureOnlyWhereSomethingIsWrong) {
    EXPECT_EQ(exit_code_of({{Weight::fine, "a", {}}, {Weight::warning, "b", {}}, {Weight::note, "c", {}}}), 0);
    EXPECT_EQ(exit_code_of({{Weight::fine, "a", {}}, {Weight::wrong, "b", {}}}), 1);
    EXPECT_EQ(exit_code_of({}), 0);
}

}  // namespace
}  // namespace holdfast::cli
