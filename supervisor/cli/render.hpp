#pragma once

#include <string>
#include <vector>

#include "api/client/client.hpp"

namespace holdfast::cli {

// The status for people: one line about the service, its listeners, a table of its workers, and what those that are
// leaving still wait for.
std::string render_status(const api::ServiceView& service);

// An outcome for people: its sentence, and the last words of the worker that was to blame.
std::string render_outcome(const api::ChangeOutcome& outcome);

// The last lines of each worker under its name.
std::string render_logs(const std::vector<api::OutputView>& outputs);
std::string logs_to_json(const std::vector<api::OutputView>& outputs);

// "rolling_out", a word for tools, as a person says it.
std::string without_underscores(std::string word);

// Columns as wide as their widest cell, two spaces apart; the first row is the heading. No blanks at the ends of lines.
std::string render_table(const std::vector<std::vector<std::string>>& rows);

// "0.4s", "12s", "3m05s", "2h10m", "4d03h"
std::string render_seconds(double seconds);

}  // namespace holdfast::cli
