#pragma once

#include <functional>
#include <holdfast/report.hpp>
#include <string_view>

namespace holdfast {

// One line on stderr, in one write: "holdfast: ...". Control characters are escaped.
void log_error(std::string_view text);

// The same with the drain report for a person below it, still in one write.
void log_error(std::string_view text, const DrainReport& report);

// Calls the program's function. What it throws becomes "holdfast: <what>: <its message>".
enum class Call { returned, threw };
Call call_or_log_error(std::string_view what, const std::function<void()>& function);

}  // namespace holdfast
