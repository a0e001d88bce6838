// Compiles the C header as C++, together with the C++ headers.
#include <holdfast.h>

#include <holdfast/worker.hpp>

static_assert(sizeof(holdfast_worker*) == sizeof(void*));
