#include "cli/findings.hpp"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using core::Severity;

TEST(Findings, AreRenderedWithTheirRemedies) {
    EXPECT_EQ(render_findings({{Severity::ok, "a", {}}, {Severity::note, "b", "do c"}}),
              "ok       a\nnote     b\n         -> do c\n");
    EXPECT_EQ(findings_to_json({{Severity::wrong, "a \"b\"", "c"}, {Severity::warning, "d", {}}}),
              "[{\"weight\":\"wrong\",\"text\":\"a \\\"b\\\"\",\"remedy\":\"c\"},"
              "{\"weight\":\"warning\",\"text\":\"d\",\"remedy\":\"\"}]\n");
}

TEST(Findings, GiveExitCodeOneOnlyIfSomethingIsWrong) {
    EXPECT_EQ(exit_code_of({{Severity::ok, "a", {}}, {Severity::warning, "b", {}}, {Severity::note, "c", {}}}), 0);
    EXPECT_EQ(exit_code_of({{Severity::ok, "a", {}}, {Severity::wrong, "b", {}}}), 1);
    EXPECT_EQ(exit_code_of({}), 0);
}

}  // namespace
}  // namespace holdfast::cli
