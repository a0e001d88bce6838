#include "coverage.hpp"

#include <array>
#include <limits>

namespace holdfast::wire {
namespace {

struct Trace {
    std::array<std::uint8_t, Coverage::size> counts{};
    std::array<std::uint16_t, Coverage::size> steps{};
    std::size_t taken = 0;  // of `steps`
    std::size_t last = 0;
};

// One thread fuzzes.
Trace& trace() {
    static constinit Trace one;
    return one;
}

}  // namespace

void Coverage::reset() {
    for (const std::uint16_t step : steps()) trace().counts[step] = 0;
    trace().taken = trace().last = 0;
}

std::span<const std::uint16_t> Coverage::steps() { return std::span(trace().steps).first(trace().taken); }
std::uint8_t Coverage::count(std::uint16_t step) { return trace().counts[step]; }

}  // namespace holdfast::wire

// Called at the begin of every block: the step from the block before is what is counted. Addresses are taken from here,
// so that the loader's choice does not change what is found.
extern "C" void __sanitizer_cov_trace_pc() {  // NOLINT(bugprone-reserved-identifier): the compiler calls it so
    using holdfast::wire::Coverage;
    auto& trace = holdfast::wire::trace();
    const auto address = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) -
                         reinterpret_cast<std::uintptr_t>(&__sanitizer_cov_trace_pc);
    const std::size_t here = (address ^ address >> 14U) % Coverage::size;
    const auto step = static_cast<std::uint16_t>(here ^ trace.last);
    std::uint8_t& count = trace.counts[step];
    if (count == 0) trace.steps[trace.taken++] = step;
    if (count < std::numeric_limits<std::uint8_t>::max()) ++count;
    trace.last = here >> 1U;
}
