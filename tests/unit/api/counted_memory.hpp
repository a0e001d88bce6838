#pragma once

#include <cstddef>

namespace holdfast::api {

// Bytes currently allocated with `new` in this program, rounded up as the allocator does.
std::size_t counted_memory();

}  // namespace holdfast::api
