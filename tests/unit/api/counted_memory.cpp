#include "counted_memory.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> counted = 0;

void* count(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    counted += ::malloc_usable_size(memory);
    return memory;
}

void discount(void* memory) noexcept {
    counted -= ::malloc_usable_size(memory);
    std::free(memory);
}

}  // namespace

// Counted here because the allocator's statistics cover the whole heap and sanitizers have none.
void* operator new(std::size_t size) { return count(std::malloc(size)); }
void* operator new[](std::size_t size) { return count(std::malloc(size)); }
void operator delete(void* memory) noexcept { discount(memory); }
void operator delete[](void* memory) noexcept { discount(memory); }
void operator delete(void* memory, std::size_t) noexcept { discount(memory); }
void operator delete[](void* memory, std::size_t) noexcept { discount(memory); }

namespace holdfast::api {

std::size_t counted_memory() { return counted; }

}  // namespace holdfast::api
