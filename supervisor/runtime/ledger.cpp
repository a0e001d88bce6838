#include "runtime/ledger.hpp"

namespace holdfast::runtime {

void Ledger::record(const core::Record&) {}

}  // namespace holdfast::runtime
