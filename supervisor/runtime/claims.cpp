#include "runtime/claims.hpp"

namespace holdfast::runtime {

void Claims::check(Worker& worker) { pump_.push(core::Claimed{worker.id, core::Claim::not_known, {}}); }

}  // namespace holdfast::runtime
