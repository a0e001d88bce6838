#pragma once

#include "runtime/listeners.hpp"
#include "runtime/pump.hpp"
#include "runtime/reaping.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Carries out CheckClaim: looks in /proc whether any process of a worker has a listener open.
class Claims {
  public:
    Claims(Pump& pump, Reaping& reaping, Listeners& listeners)
        : pump_(pump), reaping_(reaping), listeners_(listeners) {}

    void check(Worker& worker);

  private:
    Pump& pump_;
    Reaping& reaping_;
    Listeners& listeners_;
};

}  // namespace holdfast::runtime
