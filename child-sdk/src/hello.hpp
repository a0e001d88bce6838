#pragma once

#include <holdfast/message.hpp>

namespace holdfast {

// Whether the program can stop accepting and start again. Not known until it has registered its callbacks.
enum class Pausing { not_known, possible };

// The message that announces the stages that this worker supports. A later one replaces it.
Report hello(Pausing pausing);

}  // namespace holdfast
