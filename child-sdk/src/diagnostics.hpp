#pragma once

#include <functional>
#include <holdfast/report.hpp>
#include <string_view>

namespace holdfast {

// Writes one line to stderr: "holdfast: ...". Control characters are escaped. Never blocks, see stderr_writer.hpp. Not
// to be called with a lock held, because even a write that does not block takes time.
void log_error(std::string_view text);

// Writes the same line followed by the drain report as text, in one write.
void log_error(std::string_view text, const DrainReport& report);

// Calls a function of the program. Logs an exception as "holdfast: <what>: <its message>".
enum class Call { returned, threw };
Call call_or_log_error(std::string_view what, const std::function<void()>& function);

}  // namespace holdfast
