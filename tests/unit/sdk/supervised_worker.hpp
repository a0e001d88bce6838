#pragma once

#include <gtest/gtest.h>

#include <holdfast/worker.hpp>

#include "call_recorder.hpp"
#include "fake_supervisor.hpp"

namespace holdfast::testing {

// A worker in this process, its supervisor, and a recorder of events.
struct SupervisedWorker : ::testing::Test {
    SupervisedWorker() {
        worker.accepts([] {}, [] {});  // a worker that can be paused, and taken back
    }
    FakeSupervisor supervisor;
    CallRecorder recorder;
    Worker worker;
};

}  // namespace holdfast::testing
