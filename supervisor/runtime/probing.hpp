#pragma once

#include "core/action.hpp"
#include "runtime/pump.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Carries out Probe: asks a worker whether it serves, as --ready-when says.
class Probing {
  public:
    explicit Probing(Pump& pump) : pump_(pump) {}

    void probe(Worker& worker);

  private:
    Pump& pump_;
};

}  // namespace holdfast::runtime
