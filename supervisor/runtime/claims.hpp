#pragma once

#include "runtime/pump.hpp"
#include "runtime/reaping.hpp"
#include "runtime/worker.hpp"

namespace holdfast::runtime {

// Carries out CheckClaim: looks in /proc whether any process of a worker has a listener open.
class Claims {
  public:
    Claims(Pump& pump, Reaping& reaping) : pump_(pump), reaping_(reaping) {}

    void check(Worker& worker);

  private:
    Pump& pump_;
    Reaping& reaping_;
};

// "no process of worker 1.0 has :8080 open: does `npm` close inherited descriptors? run node directly"
std::string missing_claim(const Worker& worker);

}  // namespace holdfast::runtime
