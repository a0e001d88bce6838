#include "coverage.hpp"

#include <array>
#include <limits>

namespace holdfast::wire {
namespace {

struct Trace {
    std::array<std::uint8_t, Coverage::size> counts{};
    std::array<std::uint16_t, Coverage::size> edges{};
    std::size_t taken = 0;  // number of `edges`
    std::size_t last = 0;
};

// Only one thread fuzzes.
Trace& trace() {
    static constinit Trace one;
    return one;
}

}  // namespace

void Coverage::reset() {
    for (const std::uint16_t edge : edges()) trace().counts[edge] = 0;
    trace().taken = trace().last = 0;
}

std::span<const std::uint16_t> Coverage::edges() { return std::span(trace().edges).first(trace().taken); }
std::uint8_t Coverage::count(std::uint16_t edge) { return trace().counts[edge]; }

}  // namespace holdfast::wire

// Called at the start of every basic block. Counts the edge from the previous block. Addresses are relative to this
// function, so that the load address does not change the result.
extern "C" void __sanitizer_cov_trace_pc() {  // NOLINT(bugprone-reserved-identifier): the name is given by the compiler
    using holdfast::wire::Coverage;
    auto& trace = holdfast::wire::trace();
    const auto address = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) -
                         reinterpret_cast<std::uintptr_t>(&__sanitizer_cov_trace_pc);
    const std::size_t here = (address ^ address >> 14U) % Coverage::size;
    const auto edge = static_cast<std::uint16_t>(here ^ trace.last);
    std::uint8_t& count = trace.counts[edge];
    if (count == 0) trace.edges[trace.taken++] = edge;
    if (count < std::numeric_limits<std::uint8_t>::max()) ++count;
    trace.last = here >> 1U;
}
