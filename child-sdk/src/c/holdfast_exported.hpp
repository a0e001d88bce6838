#pragma once

// The public header, with its functions exported.

#pragma GCC visibility push(default)
#include <holdfast.h>
#pragma GCC visibility pop
