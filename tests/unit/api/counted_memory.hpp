#pragma once

#include <cstddef>

namespace holdfast::api {

// What this program has from `new` at this moment, in bytes as the allocator counts them.
std::size_t counted_memory();

}  // namespace holdfast::api
