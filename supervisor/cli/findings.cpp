#include "cli/findings.hpp"

#include <algorithm>

#include "cli/exit_codes.hpp"
#include "json/writer.hpp"

namespace holdfast::cli {
namespace {

constexpr std::size_t indent = 9;  // "warning" and two blanks

std::string_view word_of(core::Severity severity) {
    switch (severity) {
        case core::Severity::ok:
            return "ok";
        case core::Severity::note:
            return "note";
        case core::Severity::warning:
            return "warning";
        case core::Severity::wrong:
            return "wrong";
    }
    return "";
}

}  // namespace

std::string render_findings(const std::vector<core::Finding>& findings) {
    std::string text;
    for (const core::Finding& finding : findings) {
        std::string word(word_of(finding.severity));
        word.resize(indent, ' ');
        text += word + finding.text + "\n";
        if (!finding.remedy.empty()) text += std::string(indent, ' ') + "-> " + finding.remedy + "\n";
    }
    return text;
}

std::string findings_to_json(const std::vector<core::Finding>& findings) {
    json::Writer json;
    json.open_array();
    for (const core::Finding& finding : findings) {
        json.open_object().member("weight", word_of(finding.severity)).member("text", finding.text);
        json.member("remedy", finding.remedy).close_object();
    }
    return json.close_array().take() + "\n";
}

int exit_code_of(const std::vector<core::Finding>& findings) {
    const bool is_wrong =
        std::ranges::find(findings, core::Severity::wrong, &core::Finding::severity) != findings.end();
    return to_int(is_wrong ? ExitCode::failed : ExitCode::done);
}

}  // namespace holdfast::cli
