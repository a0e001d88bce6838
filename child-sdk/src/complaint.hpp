#pragma once

#include <functional>
#include <holdfast/message.hpp>
#include <string_view>
#include <vector>

namespace holdfast {

// One line on stderr, in one write: "holdfast: ...". Control characters are escaped.
void complain(std::string_view text);

// The drain report for a person, on stderr: what is held, of which kind, for how long.
void complain_of(std::string_view text, const std::vector<Waiting>& waiting);

// Calls the program's function. What it throws becomes "holdfast: <what>: <its message>".
enum class Call { returned, threw };
Call call_or_complain(std::string_view what, const std::function<void()>& function);

}  // namespace holdfast
