#include "runtime/preparing.hpp"

namespace holdfast::runtime {

void Preparing::prepare(const core::Prepare& action) { pump_.push(core::Prepared{action.spec, {}, {}}); }

void Preparing::abandon(LaunchSpecId) {}

}  // namespace holdfast::runtime
