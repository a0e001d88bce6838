#pragma once

#include <string>
#include <vector>

#include "api/client/client.hpp"

namespace holdfast::cli {

// The status as text: the service, its condition, its listeners, and a table of its workers with what those that leave
// still wait for.
std::string render_status(const api::ServiceView& service);

// An outcome as text: its sentence, and the last lines of output of the worker that failed.
std::string render_outcome(const api::ChangeOutcome& outcome);

// The last lines of output of each worker.
std::string render_logs(const std::vector<api::OutputView>& outputs);
std::string logs_to_json(const std::vector<api::OutputView>& outputs);

// "rolling_out" -> "rolling out"
std::string without_underscores(std::string word);

// Aligns the cells in columns that are two blanks apart. The first row is the heading. Lines have no trailing blanks.
std::string render_table(const std::vector<std::vector<std::string>>& rows);

// "0.4s", "12s", "3m05s", "2h10m", "4d03h"
std::string render_seconds(double seconds);

}  // namespace holdfast::cli
