#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A pipe for the standard error of a worker, whose last lines are quoted. Reading never blocks. The writer's end is
// opened for reading as well, so that a worker that outlives us is not killed by SIGPIPE at its next line. Both ends
// are close-on-exec.
struct OutputPipe {
    UniqueFd reader;
    UniqueFd writer;
};

Result<OutputPipe> open_output_pipe();

enum class Reading { bytes, nothing, end };

struct Chunk {
    Reading reading = Reading::nothing;
    std::size_t size = 0;
};

// Reads the bytes that are available. `end`: all writers have closed the pipe.
Chunk read_chunk(int reader_fd, std::span<char> buffer);

}  // namespace holdfast::os
