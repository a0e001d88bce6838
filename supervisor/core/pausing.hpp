#pragma once

#include "core/request.hpp"
#include "core/turn.hpp"

namespace holdfast::core {

// Stop accepting everywhere and keep the queue; accept again. Both are answered at once: what was told, to how many.

void pause_workers(Turn& turn, RequestId asker, const std::string& asked_by);
void resume_workers(Turn& turn, RequestId asker);

}  // namespace holdfast::core
