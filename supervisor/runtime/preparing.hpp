#pragma once

#include "core/action.hpp"
#include "runtime/pump.hpp"

namespace holdfast::runtime {

// Carries out Prepare: makes or looks again at a launch spec, and runs --pre-restart.
class Preparing {
  public:
    explicit Preparing(Pump& pump) : pump_(pump) {}

    void prepare(const core::Prepare& action);
    void abandon(LaunchSpecId spec);

  private:
    Pump& pump_;
};

}  // namespace holdfast::runtime
