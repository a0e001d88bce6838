#pragma once

#include <cstdint>

namespace holdfast {

/// Options of Worker::start_task.
struct TaskOptions {
    /// When the task starts.
    enum class Start : std::uint8_t {
        at_ready,  ///< at ready() or wait(): everything that the task uses exists then
        now        ///< at once, for a warm-up; what the task uses must outlive the Worker
    };
    Start start = Start::at_ready;  ///< when the task starts

    /// What follows an exception that leaves the task. It is written to stderr with the name of the task in any case.
    enum class OnException : std::uint8_t {
        stop,    ///< the worker stops as after Worker::stop(), and wait() returns 3
        ignore,  ///< the worker goes on; wait() returns 3 in the end
        abort    ///< the process is terminated at once, as with std::thread
    };
    OnException on_exception = OnException::stop;  ///< what follows an exception

    /// Whether the worker needs the task for as long as it serves.
    enum class Need : std::uint8_t {
        optional,  ///< a task that returns before it was asked to stop is named on stderr
        required,  ///< the same, and the worker stops as after Worker::stop()
        finite     ///< the task is meant to return by itself
    };
    Need need = Need::optional;  ///< whether the worker needs the task
};

}  // namespace holdfast
