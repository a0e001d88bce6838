// That the header is C++ as well, beside the C++ headers, is shown by compiling this.
#include <holdfast.h>

#include <holdfast/worker.hpp>

static_assert(sizeof(holdfast_worker*) == sizeof(void*));
