#include "runtime/probing.hpp"

namespace holdfast::runtime {

void Probing::probe(Worker& worker) {
    pump_.push(core::ProbeAnswered{worker.id, core::ProbeAnswered::Answer::good, {}});
}

}  // namespace holdfast::runtime
