#pragma once

#include <cstddef>
#include <span>

#include "base/result.hpp"
#include "os/unique_fd.hpp"

namespace holdfast::os {

// A worker's standard error, for quoting its last words. Reading never blocks. The writer's end is open for reading as
// well: so a worker that outlives us is not killed by SIGPIPE at its next line. Both close-on-exec.
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

// Reads what is there. `end`: every writer has closed it.
Chunk read_chunk(int reader_fd, std::span<char> buffer);

}  // namespace holdfast::os
