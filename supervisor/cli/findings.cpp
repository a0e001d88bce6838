#include "cli/findings.hpp"

#include <algorithm>

#include "cli/exit_codes.hpp"
#include "cli/json_text.hpp"

namespace holdfast::cli {
namespace {

constexpr std::size_t indent = 9;  // the longest word and two blanks

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
    std::string json = "[";
    for (const core::Finding& finding : findings) {
        json += (json.size() > 1 ? "," : "");
        json += "{\"weight\":" + json_string(word_of(finding.severity)) + ",\"text\":" + json_string(finding.text) +
                ",\"remedy\":" + json_string(finding.remedy) + "}";
    }
    return json + "]\n";
}

int exit_code_of(const std::vector<core::Finding>& findings) {
    const bool is_wrong =
        std::ranges::find(findings, core::Severity::wrong, &core::Finding::severity) != findings.end();
    return to_int(is_wrong ? ExitCode::failed : ExitCode::done);
}

}  // namespace holdfast::cli
